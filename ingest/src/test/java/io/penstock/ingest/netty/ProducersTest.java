package io.penstock.ingest.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.pipeline.State;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProducersTest {
  private static State saved(String ids, long next, long... numbers) {
    State state = new State();
    state.put("producers", ids.getBytes(StandardCharsets.UTF_8));
    state.put("producerNumbers", numbers);
    state.put("nextPartition", next);
    return state;
  }

  /** Partition, epoch, end and durable row of each: a run that goes back must number them as before. */
  @Test
  void shouldKeepTheNumbersOfThoseWhoCameAfterTheCut() {
    State cut = saved("p", 1, 0, 3, -1, 50);
    Producers.adopt(cut, saved("p\nq\nr", 3, 0, 5, 900, 700, 1, 2, -1, 40, 2, 7, 80, 80));

    assertThat(new String(cut.bytes("producers"), StandardCharsets.UTF_8)).isEqualTo("p\nq\nr");
    assertThat(cut.longs("producerNumbers"))
        .containsExactly(0, 3, -1, 50, 1, 2, -1, 0, 2, 7, -1, 0);
    assertThat(cut.longs("nextPartition")).containsExactly(3);
  }

  @Test
  void shouldKnowAllOfThemAtACutFromBeforeTheFirst() {
    State cut = saved("", 0);
    Producers.adopt(cut, saved("q", 1, 0, 2, -1, 40));

    assertThat(new String(cut.bytes("producers"), StandardCharsets.UTF_8)).isEqualTo("q");
    assertThat(cut.longs("producerNumbers")).containsExactly(0, 2, -1, 0);
  }
}
