import { Refusal, RegistryError, catalogueRow } from './errors/index.ts';
import { DataInUseError, SchemaTooNewError } from './platform/database/index.ts';
import { KeyFileError } from './platform/keys/index.ts';
import type { Settings } from './settings/index.ts';

/** Reasons that an operator can remove get one sentence and the next step; anything else is a bug and keeps its stack. */
export function asRefusal(error: unknown, settings: Settings): unknown {
  if (error instanceof DataInUseError) {
    return new Refusal(
      `another process owns the data folder ${error.dataDir}`,
      'stop it first, or choose another folder with --data',
      { cause: error },
    );
  }
  if (error instanceof SchemaTooNewError) {
    return new Refusal(error.message, 'start the newer version of berth that wrote this data', { cause: error });
  }
  if (error instanceof KeyFileError) {
    const [what = '', ...next] = error.message.split(': ');
    return new Refusal(what, next.join(': ') || 'put the right key file there', { cause: error });
  }
  if (error instanceof RegistryError && error.error !== 'INTERNAL') {
    const known = error.cause instanceof Error ? asRefusal(error.cause, settings) : undefined;
    return known instanceof Refusal
      ? known
      : new Refusal(error.message, catalogueRow(error.error).hint ?? 'see the log, then start again', { cause: error });
  }
  return error instanceof Error && 'code' in error ? systemRefusal(error, String(error.code), settings) : error;
}

/** What SQLite says when it cannot open its files, by its primary result code (https://sqlite.org/rescode.html). */
function sqliteRefusal(error: Error, settings: Settings): Error {
  const cause = { cause: error };
  const result = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
  if (result === 13) return noSpace(settings, error);
  if (result === 8 || result === 14) return notWritable(settings.data, error);
  if (result === 11 || result === 26) {
    const file = `the database in ${settings.data} is damaged: ${error.message}`;
    return new Refusal(file, 'restore berth.db from its backup, together with the parts and the key file', cause);
  }
  return error;
}

function noSpace({ data }: Settings, cause: Error): Refusal {
  return new Refusal(`there is no space left for the data folder ${data}`, 'free some, or choose another folder with --data', {
    cause,
  });
}

function notWritable(place: string, cause: Error): Refusal {
  const nextStep = 'give the user that runs berth access to it, or choose another data folder with --data';
  return new Refusal(`${place} cannot be written by this user`, nextStep, { cause });
}

function systemRefusal(error: Error, code: string, settings: Settings): Error {
  const { host, port, data } = settings;
  const cause = { cause: error };
  const isListening = 'syscall' in error && error.syscall === 'listen';
  if (isListening && code === 'EADDRINUSE')
    return new Refusal(
      `port ${port} on ${host} is taken by another program`,
      'stop that program, or choose another port with --port',
      cause,
    );
  if (isListening && code === 'EACCES')
    return new Refusal(`port ${port} may not be opened by this user`, 'choose a port above 1023 with --port', cause);
  const isOwnHost = code === 'EADDRNOTAVAIL' || ('hostname' in error && error.hostname === host);
  if (isOwnHost) return new Refusal(`${host} is no address of this machine`, 'choose another with --host', cause);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return notWritable('path' in error ? String(error.path) : data, error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return noSpace(settings, error);
  if (code === 'ERR_SQLITE_ERROR') return sqliteRefusal(error, settings);
  if (/^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|28P01|28000|3D000)$/.test(code)) {
    // The text of the error is left out where there is none (several addresses were tried).
    return new Refusal(
      `the database does not let berth in: ${error.message === '' ? code : error.message}`,
      'check --database: host, port, user, password and name',
      cause,
    );
  }
  return error;
}
