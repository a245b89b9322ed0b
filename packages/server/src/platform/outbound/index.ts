export {
  type Outbound,
  type OutboundAnswer,
  type OutboundOptions,
  type OutboundRequest,
  createOutbound,
  isReservedHeader,
} from './outbound.ts';
export { OutboundError, type OutboundErrorKind } from './outbound-error.ts';
