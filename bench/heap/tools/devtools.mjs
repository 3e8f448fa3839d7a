// Chrome DevTools' own reader, as heap-snapshot-toolkit packs it: parse, dominators, retained sizes, class table.
import { createReadStream } from 'node:fs';
import { parse } from 'heap-snapshot-toolkit';

const snapshot = await parse(createReadStream(process.argv[2], { encoding: 'utf8' }));
console.log(Object.keys(snapshot.getAggregatesByClassKey(false, 'allObjects')).length);
