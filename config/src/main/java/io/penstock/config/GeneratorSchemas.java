package io.penstock.config;

import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.config.SourceConfig.Agrawal;
import io.penstock.config.SourceConfig.Friedman;
import io.penstock.config.SourceConfig.Generator;
import io.penstock.config.SourceConfig.GeneratorStream;
import io.penstock.config.SourceConfig.Host;
import io.penstock.config.SourceConfig.Hyperplane;
import io.penstock.config.SourceConfig.Led;
import io.penstock.config.SourceConfig.Rbf;
import io.penstock.config.SourceConfig.Sea;
import io.penstock.config.SourceConfig.Tcp;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** The schemas that synthetic streams and the host imply. */
public final class GeneratorSchemas {
  private static final LabelConfig LABEL = classes("label", 2);
  private static final SchemaConfig SEA = schema(LABEL, FieldType.NUMBER, numbered(3));
  private static final SchemaConfig AGRAWAL =
      schema(
          classes("group", 2),
          FieldType.NUMBER,
          List.of(
              "salary",
              "commission",
              "age",
              "elevel",
              "car",
              "zipcode",
              "hvalue",
              "hyears",
              "loan"));
  private static final SchemaConfig LED =
      schema(classes("digit", 10), FieldType.FLAG, numbered(24));
  private static final SchemaConfig FRIEDMAN =
      schema(new LabelConfig("y", LabelType.NUMBER, 0, List.of()), FieldType.NUMBER, numbered(10));

  /** Shares are 0 to 1, load averages in threads, disk and network in bytes a second, switches and interrupts a second. */
  private static final SchemaConfig HOST =
      schema(
          new LabelConfig("nextCpu", LabelType.NUMBER, 0, List.of()),
          "time",
          FieldType.NUMBER,
          List.of(
              "cpu",
              "cpuUser",
              "cpuSystem",
              "cpuIoWait",
              "cpuIrq",
              "cpuSteal",
              "load1",
              "load5",
              "load15",
              "memoryUsed",
              "swapUsed",
              "diskRead",
              "diskWritten",
              "received",
              "sent",
              "contextSwitches",
              "interrupts",
              "processes",
              "threads"));

  private GeneratorSchemas() {}

  /**
   * Fields are numbers, but LED's, which are flags; labels are classes from 0, but Friedman's, which is a number. Agrawal's
   * {@code elevel}, {@code car} and {@code zipcode} are codes, but no concept asks for {@code car}, and levels of education have
   * an order.
   */
  public static SchemaConfig of(GeneratorStream stream) {
    return switch (stream) {
      case Sea _ -> SEA;
      case Agrawal _ -> AGRAWAL;
      case Hyperplane plane -> schema(LABEL, FieldType.NUMBER, numbered(plane.features()));
      case Rbf rbf ->
          schema(classes("label", rbf.classes()), FieldType.NUMBER, numbered(rbf.features()));
      case Led _ -> LED;
      case Friedman _ -> FRIEDMAN;
    };
  }

  /** What the host's rows hold: numbers, the label being the load of the next tick. */
  public static SchemaConfig ofHost() {
    return HOST;
  }

  /** The schema that a source brings with it, itself or by its built-in sender. */
  static Optional<SchemaConfig> impliedBy(SourceConfig source) {
    return switch (source) {
      case Generator generator -> Optional.of(of(generator.stream()));
      case Host _ -> Optional.of(HOST);
      case Tcp tcp when tcp.feed() != null -> Optional.of(of(tcp.feed().generator().stream()));
      default -> Optional.empty();
    };
  }

  private static SchemaConfig schema(LabelConfig label, FieldType type, List<String> names) {
    return schema(label, "", type, names);
  }

  private static SchemaConfig schema(
      LabelConfig label, String eventTime, FieldType type, List<String> names) {
    Map<String, FieldConfig> fields = new LinkedHashMap<>();
    names.forEach(name -> fields.put(name, FieldConfig.of(type)));
    return new SchemaConfig(label, "", eventTime, fields);
  }

  private static LabelConfig classes(String field, int count) {
    return new LabelConfig(field, LabelType.CLASS, count, List.of());
  }

  /** x0, x1 and so on. */
  private static List<String> numbered(int count) {
    return IntStream.range(0, count).mapToObj(i -> "x" + i).toList();
  }
}
