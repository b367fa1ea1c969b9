package io.penstock.ingest.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class IdleTimeoutTest {
  private final AtomicInteger idle = new AtomicInteger();
  private EmbeddedChannel channel;

  @BeforeEach
  void open() {
    channel = new EmbeddedChannel();
    channel.freezeTime();
    channel
        .pipeline()
        .addFirst(new IdleTimeout(Duration.ofSeconds(10), context -> idle.incrementAndGet()));
  }

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
  }

  @Test
  void shouldCloseAConnectionOnWhichNoByteComes() {
    pass(9_999);
    assertThat(channel.isOpen()).isTrue();
    pass(1);
    assertThat(channel.isOpen()).isFalse();
    assertThat(idle).hasValue(1);
  }

  @Test
  void shouldCountFromTheLastBytes() {
    for (int i = 0; i < 5; i++) {
      pass(8_000);
      channel.writeInbound(Unpooled.copiedBuffer(new byte[] {1}));
    }
    assertThat(channel.isOpen()).isTrue();
    pass(9_999);
    assertThat(channel.isOpen()).isTrue();
    pass(1);
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void shouldNotBlameTheSenderForTimeInWhichNothingWasRead() {
    pass(5_000);
    channel.config().setAutoRead(false);
    pass(95_000);
    channel.config().setAutoRead(true);
    pass(9_999);
    assertThat(channel.isOpen()).isTrue();
    pass(1);
    assertThat(channel.isOpen()).isFalse();
  }

  private void pass(long millis) {
    channel.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
    channel.runScheduledPendingTasks();
  }
}
