package io.penstock.app;

import io.penstock.app.RunSnapshot.Rows;
import java.util.Locale;
import java.util.Optional;

/**
 * When there are too many rejected rows to go on: {@code errors.maxRate}. On the way it is judged from {@link #MIN_ROWS} rows
 * on, so that one bad row at the beginning ends nothing; at the end it always is.
 */
record RejectionLimit(double maxRate) {
  static final long MIN_ROWS = 1000;

  /** Why the run must end, if it must. */
  Optional<String> exceeded(Rows rows, boolean atEnd) {
    if ((!atEnd && rows.received() < MIN_ROWS)
        || rows.rejected() == 0
        || rows.rejected() <= maxRate * rows.received()) {
      return Optional.empty();
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "%s of %s rejected (%s), more than errors.maxRate allows (%s)",
            Texts.count(rows.rejected()),
            Texts.count(rows.received(), "row"),
            Texts.finePercent((double) rows.rejected() / rows.received()),
            Texts.finePercent(maxRate)));
  }
}
