#!/usr/bin/env node
// React's development build leaks performance entries in a long-lived terminal UI; decide before anything loads.
process.env.NODE_ENV ??= 'production';
await import('../dist/cli.js');
