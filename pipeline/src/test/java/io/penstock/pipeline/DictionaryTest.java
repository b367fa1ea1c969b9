package io.penstock.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DictionaryTest {
  /** Categories by a power law, which is moved on half way; some missing. */
  private static long[] stream(SplittableRandom random, int rows) {
    long[] categories = new long[rows];
    for (int i = 0; i < rows; i++) {
      long rank = (long) Math.pow(500, random.nextDouble());
      categories[i] = random.nextInt(50) == 0 ? 0 : rank + (i < rows / 2 ? 0 : 7);
    }
    return categories;
  }

  private static long[] pass(Dictionary operator, long... categories) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(8L * Math.max(1, categories.length));
      for (int i = 0; i < categories.length; i++) {
        Values.setLong(memory, 0, i, categories[i]);
      }
      operator.process(memory, 0, categories.length);
      return IntStream.range(0, categories.length)
          .mapToLong(i -> Values.getLong(memory, 0, i))
          .toArray();
    }
  }

  @Test
  void shouldGiveAFeatureToWhatHasComeOftenEnoughAndTheLastToAllOthers() {
    Dictionary operator = new Dictionary(2, 2, 1);
    assertThat(operator.encoding().names("city")).containsExactly("city#0", "city#1", "city#other");
    // 7 takes the first counter; 8 the second; 9 the one of 8, which keeps its feature until 9 has
    // come twice.
    assertThat(pass(operator, 7, 7, 0, 7, 8, 8, 9, 8)).containsExactly(3, 1, 0, 1, 3, 2, 3, 2);
  }

  @Test
  void shouldLetANewcomerReplaceTheRarestAtABoundary() {
    Dictionary operator = new Dictionary(2, 2, 4);
    assertThat(pass(operator, 7, 7, 7, 7)).containsExactly(3, 1, 1, 1);
    assertThat(pass(operator, 8, 8, 9, 9))
        .as("9 took the counter of 8")
        .containsExactly(3, 3, 3, 3);
    assertThat(pass(operator, 8, 9, 7, 6)).containsExactly(3, 2, 1, 3);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "8, 2, 1", "8, 3, 64", "40, 1, 16", "2000, 2, 64"})
  void shouldNumberAlikeHoweverRowsAreCutAndRestored(int capacity, int minCount, int updateEvery) {
    for (int seed = 0; seed < 20; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      long[] categories = stream(random, 3000);
      long[] once = pass(new Dictionary(capacity, minCount, updateEvery), categories);
      Dictionary operator = new Dictionary(capacity, minCount, updateEvery);
      for (int from = 0; from < categories.length; ) {
        int to = Math.min(categories.length, from + random.nextInt(1, 300));
        assertThat(pass(operator, Arrays.copyOfRange(categories, from, to)))
            .as("seed %d, rows %d to %d", seed, from, to)
            .containsExactly(Arrays.copyOfRange(once, from, to));
        State state = new State();
        operator.save(state);
        operator = new Dictionary(capacity, minCount, updateEvery);
        operator.restore(state);
        from = to;
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 10, 100})
  void shouldCountAsSpaceSavingDoes(int capacity) {
    for (int seed = 0; seed < 10; seed++) {
      FrequentCategories frequent = new FrequentCategories(capacity);
      Reference reference = new Reference(capacity);
      Map<Long, Long> exact = new HashMap<>();
      long rows = 0;
      for (long category : stream(new SplittableRandom(seed), 2000)) {
        if (category == 0) {
          continue;
        }
        rows++;
        exact.merge(category, 1L, Long::sum);
        int counter = frequent.count(category);
        assertThat(counter).as("seed %d row %d", seed, rows).isEqualTo(reference.count(category));
        assertThat(frequent.certainCount(counter))
            .isEqualTo(reference.counts[counter] - reference.surpluses[counter]);
      }
      long most = rows / capacity;
      List<Long> counted = Arrays.stream(reference.categories).boxed().toList();
      exact.forEach(
          (category, count) -> {
            if (count > most) {
              assertThat(counted).contains(category);
            }
          });
      for (int counter = 0; counter < capacity && reference.categories[counter] != 0; counter++) {
        long truth = Objects.requireNonNull(exact.get(reference.categories[counter]));
        assertThat(frequent.certainCount(counter)).isLessThanOrEqualTo(truth);
        assertThat(reference.counts[counter]).isBetween(truth, truth + most);
      }
    }
  }

  /** Space-Saving by plain search. */
  private static final class Reference {
    private final long[] categories;
    private final long[] counts;
    private final long[] surpluses;

    Reference(int capacity) {
      categories = new long[capacity];
      counts = new long[capacity];
      surpluses = new long[capacity];
    }

    int count(long category) {
      int counter =
          IntStream.range(0, categories.length)
              .filter(c -> categories[c] == category)
              .findFirst()
              .orElseGet(() -> takeLeast(category));
      counts[counter]++;
      return counter;
    }

    private int takeLeast(long category) {
      int least =
          IntStream.range(0, categories.length)
              .boxed()
              .min(Comparator.comparingLong(c -> counts[c]))
              .orElseThrow();
      surpluses[least] = counts[least];
      categories[least] = category;
      return least;
    }
  }
}
