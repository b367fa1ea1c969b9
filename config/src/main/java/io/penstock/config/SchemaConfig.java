package io.penstock.config;

import java.util.List;
import java.util.Map;

/**
 * What a row holds.
 *
 * @param weight field of the row's weight, or empty
 * @param eventTime field of the row's time (ISO 8601, or a number: seconds, or milliseconds above 10^11), or empty
 * @param fields type of each field to learn from, in order; a name with {@code *} stands for all columns of the header that
 *     match
 */
public record SchemaConfig(
    LabelConfig label, String weight, String eventTime, Map<String, FieldType> fields) {

  /**
   * What is to be predicted.
   *
   * @param classes the names, or as many empty ones as there are integer classes
   * @param count number of classes, 0 for a number
   */
  public record LabelConfig(String field, LabelType type, int count, List<String> classes) {}

  public enum LabelType {
    CLASS,
    NUMBER
  }

  public enum FieldType {
    NUMBER,
    FLAG,
    CATEGORY
  }
}
