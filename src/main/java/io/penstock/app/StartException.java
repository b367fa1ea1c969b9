package io.penstock.app;

/** What was asked for cannot be done, and the message says why and what to do: exit code 2. */
final class StartException extends RuntimeException {
  private static final long serialVersionUID = 1;

  StartException(String message) {
    super(message);
  }

  StartException(String message, Throwable cause) {
    super(message, cause);
  }
}
