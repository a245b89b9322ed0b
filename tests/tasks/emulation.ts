import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { findProgram, runProgram } from '../clients/client-program.ts';

/** Programs that arm64 takes on another machine: an emulator, and a program to emulate. */
export const emulationPrograms = ['qemu-aarch64-static', 'busybox-arm64', 'mount'] as const;

const folder = '/proc/sys/fs/binfmt_misc';

/** Lets this machine's kernel run arm64 programs, in containers too, if it does not yet. It stays so, as after `apt-get install binfmt-support`. */
export async function enableArm64(): Promise<void> {
  if (process.arch === 'arm64') return;
  if (!existsSync(`${folder}/register`))
    await runProgram(findProgram('mount') ?? 'mount', ['-t', 'binfmt_misc', 'binfmt_misc', folder]);
  if (existsSync(`${folder}/qemu-aarch64`)) return;
  const magic = String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`;
  const mask = String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;
  // F: the kernel opens the emulator now, so that containers need not have it.
  await writeFile(`${folder}/register`, `:qemu-aarch64:M::${magic}:${mask}:${findProgram('qemu-aarch64-static')}:F`);
}
