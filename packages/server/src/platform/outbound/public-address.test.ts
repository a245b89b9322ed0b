import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AllowList } from './allow-list.ts';
import { isPublicAddress } from './public-address.ts';

const refused = `
  0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 168.63.129.16 169.254.169.254 172.16.0.1
  172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1
  239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1
  64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1 2002:7f00:1:: 3fff::1
  fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 2606:4700::1%eth0 fec0::1 ff02::1 nonsense 127.1 0x7f.1
`
  .trim()
  .split(/\s+/);

test('attack 27: what is not public is refused', () => {
  for (const address of [...refused, '']) assert.equal(isPublicAddress(address), false, address);
});

test('public addresses pass', () => {
  for (const address of ['1.1.1.1', '100.63.255.255', '100.128.0.1', '172.15.0.1', '172.32.0.1', '223.255.255.255'])
    assert.equal(isPublicAddress(address), true, address);
  for (const address of ['2606:4700::1111', '2a01::1', '2001:4860:4860::8888'])
    assert.equal(isPublicAddress(address), true, address);
});

test('the allow list knows addresses, networks and names', () => {
  const list = new AllowList(['10.0.0.0/8', '192.168.1.7', 'fd00::/8', 'Registry.Internal']);
  assert.ok(list.allowsAddress('10.9.8.7') && list.allowsAddress('192.168.1.7') && list.allowsAddress('fd12::1'));
  assert.ok(!list.allowsAddress('11.0.0.1') && !list.allowsAddress('192.168.1.8') && !list.allowsAddress('fe80::1'));
  assert.ok(
    list.allowsHost('registry.internal') && list.allowsHost('REGISTRY.internal.') && !list.allowsHost('x.registry.internal'),
  );
});

test('an allow list that is none is refused', () => {
  assert.equal(AllowList.problemOf(['10.0.0.0/8', '::1', 'Registry.internal']), undefined);
  for (const entry of ['10.0.0.0/33', '10.0.0.0/8/8', 'fd00::/129', 'a b', 'http://x', '10.0.0.0/x', 'x/8', '*'])
    assert.match(AllowList.problemOf(['10.0.0.0/8', entry]) ?? '', /names "/, entry);
});
