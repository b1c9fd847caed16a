#!/usr/bin/env node
/** The executable: connects the process to `main`. */
import { main } from './main.js';

// A reader that stops early, such as `head`, is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await main(process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  isInteractive: process.stderr.isTTY === true,
  hasColour: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
});
