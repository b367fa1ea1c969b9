package io.penstock.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RowTallyTest {
  private static final long SEED = 17;

  private static RowTally of(List<long[]> rows) {
    RowTally tally = new RowTally();
    rows.forEach(row -> tally.add(row[0], row[1]));
    return tally;
  }

  private static List<long[]> rows() {
    List<long[]> rows = new ArrayList<>();
    for (int partition = 0; partition < 5; partition++) {
      for (long row = 0; row < 200; row++) {
        rows.add(new long[] {PartitionCursor.key(partition % 2, partition), row});
      }
    }
    return rows;
  }

  @Test
  void shouldNotDependOnTheOrderOfRows() {
    List<long[]> rows = rows();
    String inOrder = of(rows).hash();
    Collections.shuffle(rows, new Random(SEED));
    assertThat(of(rows).hash()).as("seed %d", SEED).isEqualTo(inOrder);
    assertThat(of(rows).rows()).isEqualTo(rows.size());
  }

  @Test
  void shouldTellARowTrainedTwiceFromOneThatWasLost() {
    List<long[]> rows = rows();
    String whole = of(rows).hash();
    rows.set(3, rows.get(4));
    assertThat(of(rows).hash()).isNotEqualTo(whole);
  }

  @Test
  void shouldAddUpWhatWasCountedApart() {
    List<long[]> rows = rows();
    RowTally sum = of(rows.subList(0, 300));
    sum.add(of(rows.subList(300, rows.size())));
    assertThat(sum.hash()).isEqualTo(of(rows).hash());
  }

  @Test
  void shouldGoOnFromItsSavedState() {
    List<long[]> rows = rows();
    State state = new State();
    of(rows.subList(0, 10)).save(state, "trained");
    RowTally tally = new RowTally();
    tally.restore(state, "trained");
    rows.subList(10, rows.size()).forEach(row -> tally.add(row[0], row[1]));
    assertThat(tally.hash()).isEqualTo(of(rows).hash());
  }

  @Test
  void shouldNeverChangeItsHash() {
    // Computed in Python from the formula.
    RowTally tally = new RowTally();
    tally.add(PartitionCursor.key(1, 2), 3);
    assertThat(tally.hash()).isEqualTo("24459d5b6247ca9d21481b43265223c7");
  }
}
