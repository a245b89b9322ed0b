import { runAgentProgram } from './program.ts';

/** Reads arguments and environment, starts, waits for a signal, stops. Nothing else. */

// Whoever read what the agent says may be gone: it goes on, or ends in order.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const code = await runAgentProgram(process.argv.slice(2), {
  environment: process.env,
  log: (line) => console.log(line),
  complain: (line) => console.error(line),
  onStart: (agent, { endsWithInput }) => {
    process.on('SIGTERM', () => agent.stop());
    process.on('SIGINT', () => agent.stop());
    if (!endsWithInput) return;
    // The server that started this agent is gone, or wants it gone: nobody could be told how runs go on.
    process.stdin.on('end', () => agent.stopNow());
    process.stdin.on('error', () => agent.stopNow());
    process.stdin.resume();
  },
});
// What still runs after everything was closed must not keep the process.
process.exit(code);
