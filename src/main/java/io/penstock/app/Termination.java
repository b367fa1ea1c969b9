package io.penstock.app;

import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * SIGTERM and Ctrl-C: the work is asked to stop and has a time of grace to end and to report; then the process exits, with
 * 143 or 130 as the JVM does by itself after such a signal. A second Ctrl-C exits at once.
 */
final class Termination implements AutoCloseable {
  private final Duration grace;
  private final PrintStream err;
  private final CountDownLatch reported = new CountDownLatch(1);
  private final Thread hook = new Thread(this::onShutdown, "penstock-termination");
  private Runnable stop = () -> {};
  private boolean requested;

  private Termination(Duration grace, PrintStream err) {
    this.grace = grace;
    this.err = err;
  }

  /**
   * From now on a signal leaves time to end.
   *
   * @param grace time from the signal to {@link #reported}; the process exits then, come what may
   */
  static Termination install(Duration grace, PrintStream err) {
    Termination termination = new Termination(grace, err);
    Runtime.getRuntime().addShutdownHook(termination.hook);
    return termination;
  }

  /** What a signal calls, once; called at once where one has come already. */
  synchronized void onRequest(Runnable stop) {
    this.stop = stop;
    if (requested) {
      stop.run();
    }
  }

  /** Whether a signal has come. */
  synchronized boolean requested() {
    return requested;
  }

  @Override
  public void close() {
    reported();
  }

  /** All is reported: where a signal has come, the process exits now. */
  void reported() {
    reported.countDown();
    if (!requested()) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException shuttingDown) {
        // A signal came in this very moment: the hook finds that all is reported, and the process
        // exits.
        return;
      }
    }
  }

  private void onShutdown() {
    if (reported.getCount() == 0) {
      return;
    }
    restoreDefaultInterrupt();
    request();
    try {
      if (!reported.await(grace.toMillis(), TimeUnit.MILLISECONDS)) {
        err.println(
            "penstock: the run did not end within %s; exiting without its report"
                .formatted(Texts.seconds(grace.toMillis() / 1e3)));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void request() {
    requested = true;
    stop.run();
  }

  /**
   * The JVM ignores further signals while it shuts down; with the system's own action back in place, a second Ctrl-C ends the
   * process. By reflection, because the compiler's warning about this JDK class can be neither met nor switched off.
   */
  private static void restoreDefaultInterrupt() {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      signal
          .getMethod("handle", signal, handler)
          .invoke(
              null,
              signal.getConstructor(String.class).newInstance("INT"),
              handler.getField("SIG_DFL").get(null));
    } catch (ClassNotFoundException
        | NoSuchMethodException
        | NoSuchFieldException
        | InstantiationException
        | IllegalAccessException
        | InvocationTargetException e) {
      throw new IllegalStateException("this JVM lets no signal be handled", e);
    }
  }
}
