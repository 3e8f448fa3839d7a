/** Light and dark by the reader's own setting, one column on a phone, black on white in print. */
export const HTML_STYLE = `
:root{--ink:#1b1f24;--dim:#5b6570;--paper:#fff;--line:#d9dee4;--soft:#f5f7f9;--good:#1a7f37;--warn:#9a6700;--bad:#c62828;--accent:#0a66c2;--fill:#0a66c222}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--dim:#9aa5b1;--paper:#14171b;--line:#2e343c;--soft:#1c2127;--good:#4cc26a;--warn:#e0b341;--bad:#ff7b72;--accent:#6cb3ff;--fill:#6cb3ff2e}}
*{box-sizing:border-box}
body{margin:0;overflow-wrap:break-word;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1rem}
footer{max-width:60rem;margin:0 auto;padding:1rem;color:var(--dim);font-size:.8rem}
header{border-left:.4rem solid var(--accent);padding:.2rem 0 .2rem 1rem;margin:1rem 0}
header.critical,.insight.critical{border-color:var(--bad)}header.warning,.insight.warning{border-color:var(--warn)}header.healthy{border-color:var(--good)}
.verdict{margin:0;font-weight:600;text-transform:uppercase;letter-spacing:.05em;font-size:.85rem}
.critical>.verdict,.tag.critical,td.cause,td.failed{color:var(--bad)}.warning>.verdict,.inconclusive>.verdict,.tag.warning,td.noticed{color:var(--warn)}.healthy>.verdict,td.concluded{color:var(--good)}
h1{font-size:1.5rem;line-height:1.25;margin:.3rem 0;overflow-wrap:anywhere}
code{font-family:ui-monospace,monospace;font-size:.92em}
h2{font-size:1.1rem;margin:0 0 .5rem;overflow-wrap:anywhere}
section{margin:1.5rem 0}
.insight{background:var(--soft);border-left:.3rem solid var(--line);padding:1rem;border-radius:.3rem}
.where,pre,.path,td:first-child{font-family:ui-monospace,monospace;font-size:.85rem}
.where{color:var(--accent);overflow-wrap:anywhere}
.fix{background:var(--fill);padding:.5rem .75rem;border-radius:.3rem}
.dim,summary{color:var(--dim);font-size:.9rem}
.tags{margin:.2rem 0}.tag{display:inline-block;border:1px solid var(--line);border-radius:1rem;padding:0 .6rem;font-size:.8rem}
.path{list-style:none;padding:0;margin:.3rem 0}.path li{padding-left:1rem;overflow-wrap:anywhere}.path li+li::before{content:"└ ";color:var(--dim)}
pre{background:var(--soft);border:1px solid var(--line);border-radius:.3rem;padding:.6rem;overflow-x:auto;line-height:1.4}
.insight pre{background:var(--paper)}
mark{background:none;color:var(--bad);font-weight:600}
ul{padding-left:1.2rem;margin:.4rem 0}li{margin:.2rem 0;overflow-wrap:anywhere}
.tree,.tree ul{list-style:none;padding-left:1rem}.tree{padding-left:0}.tree summary{cursor:pointer}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(10.5rem,1fr));gap:1rem}
figure{margin:0;border:1px solid var(--line);border-radius:.3rem;padding:.6rem}
figcaption{display:flex;justify-content:space-between;gap:.5rem;font-size:.85rem}figcaption>span{white-space:nowrap}
svg{display:block;width:100%;height:auto;font:10px system-ui,sans-serif}
svg .line{fill:none;stroke:var(--accent);stroke-width:1.5;vector-effect:non-scaling-stroke}
svg .area{fill:var(--fill)}svg text{fill:var(--dim)}svg .axis{stroke:var(--line)}
svg .cell{stroke:var(--paper);stroke-width:.5}svg .cell+text{fill:#1b1f24}
.wide{overflow-x:auto}.wide>svg{min-width:40rem}
table{border-collapse:collapse;font-size:.85rem;width:100%}td{padding:.2rem .6rem .2rem 0;vertical-align:top;border-top:1px solid var(--line)}td:first-child{white-space:nowrap;color:var(--dim)}
@media print{:root{--ink:#000;--dim:#444;--paper:#fff;--soft:#fff;--line:#bbb}body{font-size:11pt}section,figure,pre{break-inside:avoid}details{display:block}}
`;
