// Callers for the programs that `lens check` starts: POST /invoices or /reservations at LENS_PORT, 60 a second.
import { Traffic } from '../../fixtures/world/traffic.mjs';

const REQUESTS = {
  invoices: i => ({ customer: `c${i % 70}`, cents: 1000 + i, currency: i % 2 ? 'USD' : 'CHF' }),
  reservations: i => ({ show: i % 40, seats: 2 + (i % 4) }),
};
const [what] = process.argv.slice(2);
const traffic = new Traffic(Number(process.env.LENS_PORT), Number(process.env.LENS_PID));
traffic.steady(60, i => ({ path: `/${what}`, body: REQUESTS[what](i) }));
