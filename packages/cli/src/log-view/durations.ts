/** `3.2 s`, `2 min 05 s`, `1 h 02 min`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${two(whole % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** `0:07`, `1:02:03`: of something that goes on. */
export function clockText(ms: number): string {
  const whole = Math.floor(Math.max(0, ms) / 1000);
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** Between two times of a run; undefined while one is missing. */
export function elapsedMs(from: string | null, to: string | null): number | undefined {
  return from === null || to === null ? undefined : Date.parse(to) - Date.parse(from);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
