package io.penstock.app.sample;

/** A sample that cannot be read, or that does not say what is to be learnt; the message says what to do. */
public final class SampleException extends RuntimeException {
  private static final long serialVersionUID = 1;

  SampleException(String message) {
    super(message);
  }

  SampleException(String message, Throwable cause) {
    super(message, cause);
  }
}
