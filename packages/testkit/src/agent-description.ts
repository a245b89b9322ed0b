/** What an agent says of itself when it asks for work, for tests that play one. */
export const agentDescription = {
  name: 'one',
  version: '1',
  engine: 'docker',
  engineVersion: '20',
  os: 'Linux',
  architectures: ['amd64'],
  capacity: 1,
};
