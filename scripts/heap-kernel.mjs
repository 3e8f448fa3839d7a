// Assembles the loops that read a heapSnapshot's node and edge records, into src/heap/parse/kernel-bytes.ts.
// node scripts/heap-kernel.mjs   after a change below; test/heap/kernel.test.ts keeps the two together.
//
// A record is a line: `2,117,1203,48,3,0,0` and a newline, then the comma of the next one. A loop looks at 32 (edges) or 48
// (nodes) bytes at once, turns "is no digit" into a bit each, and finds the fields by counting zeros: no byte is looked at
// on its own, nothing is guessed per digit. It stops in front of the first line that it does not like.
import { writeFileSync } from 'node:fs';
import wabt from 'wabt';

const LINE_END = 0x2c0a; // a newline and a comma, read as one number
const TEXTS_BETWEEN = 0x220a2c22; // a quote, a comma, a newline and a quote
const NAME_MASK = 2 ** 29 - 1; // as in fast-edges.ts

/** Memory: what is read begins behind a margin, because numbers are loaded as the eight bytes before their end. */
const INPUT = 64;
const INPUT_BYTES = 256 * 1024;
/** More records than this don't fit a chunk: the shortest takes seven bytes. */
const RECORDS = 40_960;
const COLUMNS = INPUT + INPUT_BYTES + 64;
const column = number => COLUMNS + number * RECORDS * 4;
const PAGES = Math.ceil(column(5) / 65_536);

const sixteen = byte => `(v128.const i8x16 ${Array(16).fill(byte).join(' ')})`;
/** Moved up by this much, digits are the greatest signed bytes: one comparison tells them from all others. */
const noDigits = at => `(i8x16.bitmask (i8x16.lt_s (i8x16.add ${at} ${sixteen(0x46)}) ${sixteen(0x76)}))`;
const commas = at => `(i8x16.bitmask (i8x16.eq ${at} ${sixteen(0x2c)}))`;
const load = offset => `(v128.load offset=${offset} (local.get $at))`;
const bits = (of, offset) => `(i64.shl (i64.extend_i32_u ${of(load(offset))}) (i64.const ${offset}))`;
const wide = of => `(i64.or (i64.or ${bits(of, 0)} ${bits(of, 16)}) ${bits(of, 32)})`;
const dropLowest = (type, name) =>
  `(local.set ${name} (${type}.and (local.get ${name}) (${type}.sub (local.get ${name}) (${type}.const 1))))`;

/**
 * The number of `length` (1 to 9) digits that ends before the address `end`. Its last eight digits, less what stands before
 * them, are the bytes of one word; three multiplications add up pairs, then fours, then eight.
 */
const number = (into, end, length) => `
  (local.set $shift (i32.sub (i32.const 64) (i32.shl ${length} (i32.const 3))))
  (local.set $shift (i32.and (local.get $shift) (i32.xor (i32.shr_s (local.get $shift) (i32.const 31)) (i32.const -1))))
  (local.set $word (i64.and
    (i64.xor (i64.load align=1 (i32.sub ${end} (i32.const 8))) (i64.const 0x3030303030303030))
    (i64.shl (i64.const -1) (i64.extend_i32_u (local.get $shift)))))
  (local.set $word (i64.add (i64.mul (local.get $word) (i64.const 10)) (i64.shr_u (local.get $word) (i64.const 8))))
  (local.set ${into} (i32.add
    (i32.wrap_i64 (i64.shr_u (i64.add
      (i64.mul (i64.and (local.get $word) (i64.const 0x000000ff000000ff)) (i64.const 0x000f424000000064))
      (i64.mul (i64.and (i64.shr_u (local.get $word) (i64.const 16)) (i64.const 0x000000ff000000ff)) (i64.const 0x0000271000000001)))
      (i64.const 32)))
    (select
      (i32.mul (i32.xor (i32.load8_u (i32.sub ${end} (i32.const 9))) (i32.const 0x30)) (i32.const 100000000))
      (i32.const 0)
      (i32.gt_u ${length} (i32.const 8)))))`;

const stopIf = condition => `(br_if $stop ${condition})`;
const get = name => `(local.get ${name})`;
const isLong = length => `(i32.gt_u (i32.sub ${length} (i32.const 1)) (i32.const 8))`;
/** Where the record's columns are written: by number of the record, in bytes. */
const slot = first => `(i32.add (i32.shl ${get('$count')} (i32.const 2)) (i32.const ${first}))`;

const edges = `
(func (export "edges")
  (param $at i32) (param $last i32) (param $room i32) (param $types i32) (param $indexed i32)
  (param $nodes i32) (param $width i32) (param $reciprocal i64) (result i32)
  (local $count i32) (local $marks i32) (local $end1 i32) (local $end2 i32) (local $type i32) (local $name i32)
  (local $index i32) (local $ordinal i32) (local $length1 i32) (local $length2 i32) (local $shift i32) (local $word i64)
  (local $maxName i32)
  (block $stop (loop $next
    ${stopIf(`(i32.gt_s ${get('$at')} ${get('$last')})`)}
    ${stopIf(`(i32.ge_u ${get('$count')} ${get('$room')})`)}
    (local.set $marks (i32.or ${noDigits(load(0))} (i32.shl ${noDigits(load(16))} (i32.const 16))))
    ;; the type is one digit
    ${stopIf(`(i32.ne (i32.and ${get('$marks')} (i32.const 3)) (i32.const 2))`)}
    ${dropLowest('i32', '$marks')}
    (local.set $end1 (i32.ctz ${get('$marks')}))
    ${dropLowest('i32', '$marks')}
    (local.set $end2 (i32.ctz ${get('$marks')}))
    (local.set $length1 (i32.sub ${get('$end1')} (i32.const 2)))
    (local.set $length2 (i32.sub (i32.sub ${get('$end2')} ${get('$end1')}) (i32.const 1)))
    ${stopIf(`(i32.or ${isLong(get('$length1'))} ${isLong(get('$length2'))})`)}
    (local.set $end1 (i32.add ${get('$at')} ${get('$end1')}))
    (local.set $end2 (i32.add ${get('$at')} ${get('$end2')}))
    ${stopIf(`(i32.or (i32.or
      (i32.xor (i32.load8_u offset=1 ${get('$at')}) (i32.const 0x2c))
      (i32.xor (i32.load8_u ${get('$end1')}) (i32.const 0x2c)))
      (i32.xor (i32.load16_u align=1 ${get('$end2')}) (i32.const ${LINE_END})))`)}
    (local.set $type (i32.xor (i32.load8_u ${get('$at')}) (i32.const 0x30)))
    ${number('$name', get('$end1'), get('$length1'))}
    ${number('$index', get('$end2'), get('$length2'))}
    ;; to_node counts fields: a product that does not come back is no multiple of a node's width
    (local.set $ordinal (i32.wrap_i64 (i64.shr_u
      (i64.mul (i64.extend_i32_u ${get('$index')}) ${get('$reciprocal')}) (i64.const 34))))
    ${stopIf(`(i32.or (i32.or
      (i32.ge_u ${get('$type')} ${get('$types')})
      (i32.ge_u ${get('$ordinal')} ${get('$nodes')})) (i32.or
      (i32.ne (i32.mul ${get('$ordinal')} ${get('$width')}) ${get('$index')})
      (i32.ge_u ${get('$name')} (i32.const ${NAME_MASK}))))`)}
    (i32.store ${slot(column(0))} (i32.or (i32.shl ${get('$type')} (i32.const 29)) ${get('$name')}))
    (i32.store ${slot(column(1))} ${get('$ordinal')})
    ;; an index counts as name 0
    (local.set $name (select (i32.const 0) ${get('$name')}
      (i32.and (i32.shr_u ${get('$indexed')} ${get('$type')}) (i32.const 1))))
    (local.set $maxName (select ${get('$name')} ${get('$maxName')} (i32.gt_u ${get('$name')} ${get('$maxName')})))
    (local.set $count (i32.add ${get('$count')} (i32.const 1)))
    (local.set $at (i32.add ${get('$end2')} (i32.const 2)))
    (br $next)))
  (global.set $position ${get('$at')})
  (global.set $maxName ${get('$maxName')})
  ${get('$count')})`;

const mark64 = name => `(i32.wrap_i64 (i64.ctz ${get(name)}))`;
/** The field ends at the next mark: a number of one to nine digits. `$from` is where it begins. */
const field = into => `
  (local.set $to ${mark64('$marks')})
  ${dropLowest('i64', '$marks')}
  (local.set $length (i32.sub ${get('$to')} ${get('$from')}))
  ${stopIf(isLong(get('$length')))}
  ${number(into, `(i32.add ${get('$at')} ${get('$to')})`, get('$length'))}
  (local.set $from (i32.add ${get('$to')} (i32.const 1)))`;

// The fields behind the first five have one digit each: `tail` is the marks that this makes, the newline's and the last
// comma's included, `tailBytes` their length, and `link` where detachedness stands behind the fifth field (0: nowhere).
const nodes = `
(func (export "nodes")
  (param $at i32) (param $last i32) (param $room i32) (param $types i32) (param $sum i32) (param $maxEdges i32)
  (param $tail i64) (param $tailBytes i32) (param $link i32) (result i32)
  (local $count i32) (local $after i32) (local $all i64) (local $marks i64) (local $from i32) (local $to i32) (local $length i32)
  (local $type i32) (local $name i32) (local $id i32) (local $size i32) (local $edges i32) (local $state i32)
  (local $end i64) (local $shift i32) (local $word i64) (local $maxName i32)
  (block $stop (loop $next
    ${stopIf(`(i32.gt_s ${get('$at')} ${get('$last')})`)}
    ${stopIf(`(i32.ge_u ${get('$count')} ${get('$room')})`)}
    (local.set $all ${wide(noDigits)})
    (local.set $marks ${get('$all')})
    ;; the type has one digit or two
    (local.set $to ${mark64('$marks')})
    ${stopIf(`(i32.gt_u (i32.sub ${get('$to')} (i32.const 1)) (i32.const 1))`)}
    ${dropLowest('i64', '$marks')}
    (local.set $type (i32.xor (i32.load8_u ${get('$at')}) (i32.const 0x30)))
    (local.set $type (select ${get('$type')}
      (i32.add (i32.mul ${get('$type')} (i32.const 10)) (i32.xor (i32.load8_u offset=1 ${get('$at')}) (i32.const 0x30)))
      (i32.eq ${get('$to')} (i32.const 1))))
    (local.set $from (i32.add ${get('$to')} (i32.const 1)))
    ${field('$name')}
    ${field('$id')}
    ${field('$size')}
    ${field('$edges')}
    ;; the rest of the line has its marks where they belong, and all marks but the newline are commas
    (local.set $end (i64.extend_i32_u (i32.add ${get('$to')} ${get('$tailBytes')})))
    ${stopIf(`(i64.ne
      (i64.and (i64.shr_u ${get('$all')} (i64.extend_i32_u ${get('$to')}))
        (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u ${get('$tailBytes')})) (i64.const 1)))
      ${get('$tail')})`)}
    ${stopIf(`(i64.ne
      (i64.and (i64.xor ${get('$all')} ${wide(commas)}) (i64.sub (i64.shl (i64.const 1) ${get('$end')}) (i64.const 1)))
      (i64.shl (i64.const 1) (i64.sub ${get('$end')} (i64.const 2))))`)}
    (local.set $to (i32.add ${get('$at')} ${get('$to')}))
    (local.set $after (i32.add ${get('$to')} ${get('$tailBytes')}))
    (local.set $state (select
      (i32.xor (i32.load8_u (i32.add ${get('$to')} ${get('$link')})) (i32.const 0x30)) (i32.const 0) ${get('$link')}))
    ${stopIf(`(i32.or (i32.or
      (i32.ne (i32.load16_u align=1 (i32.sub ${get('$after')} (i32.const 2))) (i32.const ${LINE_END}))
      (i32.ge_u ${get('$type')} ${get('$types')})) (i32.or
      (i32.gt_u ${get('$state')} (i32.const 2))
      (i32.gt_u ${get('$edges')} (i32.sub ${get('$maxEdges')} ${get('$sum')}))))`)}
    (local.set $at ${get('$after')})
    (local.set $sum (i32.add ${get('$sum')} ${get('$edges')}))
    (i32.store8 (i32.add ${get('$count')} (i32.const ${column(0)}))
      (i32.or ${get('$type')} (i32.shl ${get('$state')} (i32.const 5))))
    (i32.store ${slot(column(1))} ${get('$name')})
    (i32.store ${slot(column(2))} ${get('$id')})
    (i32.store ${slot(column(3))} ${get('$size')})
    (i32.store ${slot(column(4))} ${get('$sum')})
    (local.set $maxName (select ${get('$name')} ${get('$maxName')} (i32.gt_u ${get('$name')} ${get('$maxName')})))
    (local.set $count (i32.add ${get('$count')} (i32.const 1)))
    (br $next)))
  (global.set $position ${get('$at')})
  (global.set $maxName ${get('$maxName')})
  ${get('$count')})`;

const byte = at => `(i32.load8_u ${at})`;
/** Digits share their lower bits with letters, and many texts end with one. */
const isNoDigit = `(i32.or (i32.lt_u (local.get $end) (i32.const 0x30)) (i32.gt_u (local.get $end) (i32.const 0x39)))`;
const bitOf = (type, bits, at) => `(${type}.and (${type}.shr_u ${bits} ${at}) (${type}.const 1))`;

// Texts as V8 prints them, a quote, a comma and a newline between two. Gives where each begins (moved by `shift`), and the
// numbers of those that may be a word of V8's own: by their length (`lengths`: up to 31) and last byte (`ends`), or because
// they begin with a digit and end with a bracket, as the names of a WeakMap's entries do. `from` is where the first begins.
const texts = `
(func (export "texts")
  (param $at i32) (param $last i32) (param $room i32) (param $from i32) (param $shift i32) (param $lengths i32)
  (param $ends i64) (result i32)
  (local $count i32) (local $marked i32) (local $marks i32) (local $length i32) (local $end i32)
  (block $stop (loop $next
    ${stopIf(`(i32.gt_s ${get('$at')} ${get('$last')})`)}
    (local.set $marks (i8x16.bitmask (v128.or
      (i8x16.eq ${load(0)} ${sixteen(0x22)}) (i8x16.eq ${load(0)} ${sixteen(0x5c)}))))
    (if (i32.eqz ${get('$marks')}) (then
      (local.set $at (i32.add ${get('$at')} (i32.const 16)))
      (br $next)))
    (local.set $at (i32.add ${get('$at')} (i32.ctz ${get('$marks')})))
    (if (i32.eq ${byte(get('$at'))} (i32.const 0x5c)) (then
      (local.set $at (i32.add ${get('$at')} (i32.const 2)))
      (br $next)))
    ${stopIf(`(i32.or
      (i32.ne (i32.load align=1 ${get('$at')}) (i32.const ${TEXTS_BETWEEN}))
      (i32.ge_u ${get('$count')} ${get('$room')}))`)}
    (local.set $length (i32.sub ${get('$at')} ${get('$from')}))
    (local.set $end ${byte(`(i32.sub ${get('$at')} (i32.const 1))`)})
    (if (select
      (i32.and (i32.eq ${get('$end')} (i32.const 0x29))
        (i32.lt_u (i32.xor ${byte(get('$from'))} (i32.const 0x30)) (i32.const 10)))
      (i32.and (i32.and ${bitOf('i32', get('$lengths'), get('$length'))} ${isNoDigit})
        (i32.wrap_i64 ${bitOf('i64', get('$ends'), `(i64.extend_i32_u (i32.and ${get('$end')} (i32.const 63)))`)}))
      (i32.gt_u ${get('$length')} (i32.const 31))) (then
        (i32.store (i32.add (i32.shl ${get('$marked')} (i32.const 2)) (i32.const ${column(1)})) ${get('$count')})
        (local.set $marked (i32.add ${get('$marked')} (i32.const 1)))))
    (local.set $at (i32.add ${get('$at')} (i32.const 4)))
    (local.set $from ${get('$at')})
    (i32.store ${slot(column(0))} (i32.add ${get('$at')} ${get('$shift')}))
    (local.set $count (i32.add ${get('$count')} (i32.const 1)))
    (br $next)))
  (global.set $position ${get('$at')})
  (global.set $marked ${get('$marked')})
  ${get('$count')})`;

const text = `(module
(memory (export "memory") ${PAGES} ${PAGES})
(global $position (export "position") (mut i32) (i32.const 0))
(global $maxName (export "maxName") (mut i32) (i32.const 0))
(global $marked (export "marked") (mut i32) (i32.const 0))
${edges}
${nodes}
${texts})`;

/** The text of src/heap/parse/kernel-bytes.ts. */
export async function kernelSource() {
  const assembler = await wabt();
  const module = assembler.parseWat('kernel.wat', text, { simd: true });
  const bytes = Buffer.from(module.toBinary({}).buffer).toString('base64');
  module.destroy();
  const constants = { INPUT, INPUT_BYTES, RECORDS };
  return `// Written by scripts/heap-kernel.mjs; do not edit.
${Object.entries(constants)
  .map(([name, value]) => `export const ${name} = ${value};`)
  .join('\n')}
/** Where the columns of the records that were read lie. */
export const COLUMNS = [${[0, 1, 2, 3, 4].map(column).join(', ')}] as const;
export const WASM =
  '${bytes}';
`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(new URL('../src/heap/parse/kernel-bytes.ts', import.meta.url), await kernelSource());
}
