/** Less is cheap to leave to the collector, and small buffers share their memory with others. */
const worthwhileBytes = 4 * 1024;

/**
 * Frees the memory of a buffer that nobody will read again, without waiting for the garbage collector: layers pass
 * through the process at gigabytes a second, and the collector marks the whole heap to find what every writer here
 * knows. The buffer is empty afterwards. One that is a view of something larger is left alone.
 *
 * Never call it while the bytes are being written: the system would read freed memory.
 */
export function releaseMemory({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < worthwhileBytes || byteLength !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  // `transfer` moves the memory to a new owner of no bytes, which frees it.
  buffer.transfer(0);
}
