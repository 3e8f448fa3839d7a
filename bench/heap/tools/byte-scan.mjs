// The floor: reads every byte of the file once and adds up its integers. Nothing is kept.
import { openSync, readSync } from 'node:fs';

const file = openSync(process.argv[2], 'r');
const bytes = new Uint8Array(256 * 1024);
let value = 0;
let sum = 0;
for (let length = readSync(file, bytes); length > 0; length = readSync(file, bytes)) {
  for (let i = 0; i < length; i++) {
    const digit = bytes[i] ^ 0x30;
    if (digit < 10) value = (Math.imul(value, 10) + digit) | 0;
    else {
      sum = (sum + value) | 0;
      value = 0;
    }
  }
}
console.log(sum);
