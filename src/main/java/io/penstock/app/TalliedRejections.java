package io.penstock.app;

import io.penstock.pipeline.Merge;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections;
import io.penstock.pipeline.RowTally;
import io.penstock.pipeline.State;

/** Enters each rejected row into the ledger and hands it on. */
final class TalliedRejections implements Rejections {
  private final Rejections next;
  private final RowTally tally = new RowTally();

  TalliedRejections(Rejections next) {
    this.next = next;
  }

  @Override
  public void reject(
      PartitionCursor cursor,
      long row,
      Reason reason,
      String detail,
      byte[] raw,
      int from,
      int to) {
    next.reject(cursor, row, reason, detail, raw, from, to);
    synchronized (tally) {
      tally.add(cursor.key(), row);
    }
  }

  /** Goes on from the rows that a cut has counted. */
  void restore(State cut) {
    synchronized (tally) {
      tally.restore(cut, Merge.REJECTED);
    }
  }

  @Override
  public long count() {
    synchronized (tally) {
      return tally.rows();
    }
  }

  /** The ledger's line of rejected rows. */
  RunSnapshot.LedgerEntry entry() {
    synchronized (tally) {
      return new RunSnapshot.LedgerEntry("rejected", tally.rows(), tally.hash());
    }
  }
}
