import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What kernels call architectures, and what images call them. */
const byKernelName: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  arm64: 'arm64',
  armv7l: 'arm',
  armv6l: 'arm',
  arm: 'arm',
  i386: '386',
  i686: '386',
  ppc64le: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
  mips64el: 'mips64le',
  loongarch64: 'loong64',
};

export function architectureOf(kernelName: string): string {
  return byKernelName[kernelName] ?? kernelName;
}

/**
 * The architectures that the kernel emulates for containers: interpreters that are registered with the flag F, which were opened
 * when they were registered and so need not be in the image.
 */
export async function emulatedArchitectures(folder = '/proc/sys/fs/binfmt_misc'): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const found: string[] = [];
  for (const name of names.filter((each) => each.startsWith('qemu-'))) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    const architecture = byKernelName[name.slice('qemu-'.length)];
    if (architecture !== undefined && text.startsWith('enabled') && /^flags:.*F/m.test(text)) found.push(architecture);
  }
  return found.toSorted();
}
