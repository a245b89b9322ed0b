/** An address without what signs in or signs: users, passwords, queries. */
export function shownAddress(address: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address) && URL.canParse(address)) {
    const url = new URL(address);
    // The user of ssh is a part of the address, and no secret.
    if (url.protocol !== 'ssh:') url.username = '';
    url.password = '';
    url.search = '';
    url.hash = '';
    return url.href;
  }
  return address.replace(/[?#].*$/s, '').replace(/^([^@:/]+):[^@/]*@/, '$1@');
}
