package io.penstock.app;

/** It began well and failed on the way: exit code 1. */
final class RunException extends RuntimeException {
  private static final long serialVersionUID = 1;

  RunException(String message) {
    super(message);
  }

  RunException(String message, Throwable cause) {
    super(message, cause);
  }
}
