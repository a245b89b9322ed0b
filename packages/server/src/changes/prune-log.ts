/** Stands in `change_cursors` once something of a registry's log is gone. No consumer has this name. */
export const prunedConsumer = '$pruned';
