package io.penstock.ingest.netty;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import org.slf4j.LoggerFactory;

/** Hears what Netty's leak detector reports; tests run it at its paranoid level. */
final class LeakWatch implements AutoCloseable {
  private final Logger logger =
      (Logger) LoggerFactory.getLogger(ResourceLeakDetector.class.getName());
  private final ListAppender<ILoggingEvent> reports = new ListAppender<>();

  LeakWatch() {
    reports.start();
    logger.addAppender(reports);
  }

  /** Fails where a buffer was collected that nobody had released. Leaks are reported when the next buffer is allocated. */
  @Override
  public void close() {
    for (int i = 0; i < 3; i++) {
      System.gc();
      ByteBufAllocator.DEFAULT.directBuffer(16).release();
    }
    logger.detachAppender(reports);
    assertThat(reports.list)
        .filteredOn(event -> event.getLevel() == Level.ERROR)
        .extracting(ILoggingEvent::getFormattedMessage)
        .isEmpty();
  }
}
