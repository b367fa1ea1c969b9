package io.penstock.config;

import java.io.Serial;

/** A value breaks a rule. The reader adds the place; code that makes records by hand sees the message as it is. */
final class InvalidSetting extends IllegalArgumentException {
  @Serial private static final long serialVersionUID = 1L;

  private final String key;
  private final String problem;

  /**
   * A problem with one setting.
   *
   * @param key dotted path from the record that objects, or empty for the record itself
   * @param problem rule and value, as in "must be 1 to 65536, not -3"
   */
  InvalidSetting(String key, String problem) {
    super(key.isEmpty() ? problem : key + " " + problem);
    this.key = key;
    this.problem = problem;
  }

  String key() {
    return key;
  }

  String problem() {
    return problem;
  }
}
