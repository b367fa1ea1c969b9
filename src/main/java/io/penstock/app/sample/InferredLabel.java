package io.penstock.app.sample;

import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import java.util.List;

/**
 * What a sample says of the field that is to be predicted.
 *
 * @param note what was found
 * @param mean of a number
 * @param deviation of a number
 * @param missing texts that stand for no value
 */
public record InferredLabel(
    LabelConfig config, String note, double mean, double deviation, List<String> missing) {
  /** Whether it is a class, and not a number. */
  public boolean isClass() {
    return config.type() == LabelType.CLASS;
  }
}
