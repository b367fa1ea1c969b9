package io.penstock.config;

import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.config.SourceConfig.Generator;
import io.penstock.config.SourceConfig.GeneratorStream;
import io.penstock.config.SourceConfig.Tcp;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The schemas that synthetic streams imply. */
public final class GeneratorSchemas {
  private static final SchemaConfig SEA = numbers("label", "x0", "x1", "x2");
  private static final SchemaConfig AGRAWAL =
      numbers(
          "group",
          "salary",
          "commission",
          "age",
          "elevel",
          "car",
          "zipcode",
          "hvalue",
          "hyears",
          "loan");

  private GeneratorSchemas() {}

  /**
   * All fields as numbers, the label with the classes 0 and 1. Agrawal's {@code elevel}, {@code car} and
   * {@code zipcode} are codes, but no concept asks for {@code car}, and levels of education have an order.
   */
  public static SchemaConfig of(GeneratorStream stream) {
    return switch (stream) {
      case SEA -> SEA;
      case AGRAWAL -> AGRAWAL;
    };
  }

  /** The schema that a source brings with it, itself or by its built-in sender. */
  static Optional<SchemaConfig> impliedBy(SourceConfig source) {
    return switch (source) {
      case Generator generator -> Optional.of(of(generator.stream()));
      case Tcp tcp when tcp.feed() != null -> Optional.of(of(tcp.feed().generator().stream()));
      default -> Optional.empty();
    };
  }

  private static SchemaConfig numbers(String label, String... names) {
    Map<String, FieldConfig> fields = new LinkedHashMap<>();
    for (String name : names) {
      fields.put(name, FieldConfig.of(FieldType.NUMBER));
    }
    return new SchemaConfig(new LabelConfig(label, LabelType.CLASS, 2, List.of()), "", "", fields);
  }
}
