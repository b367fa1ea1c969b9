package io.penstock.config;

import io.penstock.config.ConfigException.Problem;
import io.penstock.config.SourceConfig.GeneratorStream;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;

/** Reads configurations. What is wrong comes as one {@link ConfigException} with a line for each problem. */
public final class ConfigReader {
  private ConfigReader() {}

  /**
   * The configuration in a file.
   *
   * @param sets overrides, {@code a.b=c} with {@code c} being YAML; a later one wins
   * @throws ConfigException where the file cannot be read or says what cannot be
   */
  public static Config read(Path file, List<String> sets) {
    return parse(file.toString(), text(file), sets);
  }

  /**
   * The configuration in a text.
   *
   * @param name what messages call it
   * @param sets overrides, {@code a.b=c} with {@code c} being YAML; a later one wins
   * @throws ConfigException where the text says what cannot be
   */
  public static Config parse(String name, String yaml, List<String> sets) {
    Node root =
        Yaml.compose(name, yaml)
            .orElseThrow(() -> new ConfigException(new Problem(name, 0, 0, "is empty")));
    for (String set : sets) {
      root = Yaml.override(root, Config.class, set);
    }
    Binder binder = new Binder(name);
    Config config = binder.bind(root, Config.class, "", implied(name, root));
    if (config != null) {
      checkImplied(config, binder.problems());
    }
    if (config == null || binder.problems().count() > 0) {
      throw new ConfigException(binder.problems().all());
    }
    return config;
  }

  /**
   * A synthetic stream with settings over its defaults.
   *
   * @param word as in {@code source.generator.stream}
   * @param sets its own settings, {@code features=20}; a later one wins
   * @throws ConfigException where a setting is none of the stream's, or says what cannot be
   */
  public static GeneratorStream stream(String word, List<String> sets) {
    Class<?> type = Setting.cases(GeneratorStream.class).get(word);
    if (type == null) {
      throw new IllegalArgumentException("no such stream: " + word);
    }
    Node root = Yaml.constant("{}");
    for (String set : sets) {
      root = Yaml.override(root, type, set);
    }
    Binder binder = new Binder(word);
    Object stream = binder.bind(root, type, "", Map.of());
    if (stream == null) {
      throw new ConfigException(binder.problems().all());
    }
    return (GeneratorStream) stream;
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      throw problem(file.toString(), "there is no such file", e);
    } catch (AccessDeniedException e) {
      throw problem(file.toString(), "may not be read", e);
    } catch (CharacterCodingException e) {
      throw problem(file.toString(), "must be UTF-8", e);
    } catch (IOException e) {
      throw problem(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  private static ConfigException problem(String name, String text, Exception cause) {
    ConfigException problem = new ConfigException(new Problem(name, 0, 0, text));
    problem.initCause(cause);
    return problem;
  }

  private static Map<String, Object> implied(String name, Node root) {
    return root instanceof MappingNode map
        ? map.getValue().stream()
            .flatMap(entry -> implied(name, entry).stream())
            .findFirst()
            .<Map<String, Object>>map(schema -> Map.of("schema", schema))
            .orElse(Map.of())
        : Map.of();
  }

  /** The schemas that the sources under a key of the root imply. */
  private static List<SchemaConfig> implied(String name, NodeTuple entry) {
    if (Yaml.isText(entry.getKeyNode(), "source")) {
      return impliedBy(name, entry.getValueNode());
    }
    return Yaml.isText(entry.getKeyNode(), "sources")
            && entry.getValueNode() instanceof MappingNode sources
        ? sources.getValue().stream()
            .flatMap(source -> impliedBy(name, source.getValueNode()).stream())
            .toList()
        : List.of();
  }

  private static List<SchemaConfig> impliedBy(String name, Node node) {
    SourceConfig source = new Binder(name).bind(node, SourceConfig.class, "source", Map.of());
    // A source that is wrong is a problem already; whether it would have implied a schema, nobody
    // can tell.
    return source == null
        ? List.of(GeneratorSchemas.of(GeneratorStream.SEA))
        : GeneratorSchemas.impliedBy(source).stream().toList();
  }

  /** A schema that is given although a source has its own must not say other things. */
  private static void checkImplied(Config config, Problems problems) {
    for (SourceConfig source : config.allSources().values()) {
      GeneratorSchemas.impliedBy(source)
          .filter(implied -> !implied.equals(config.schema()))
          .ifPresent(implied -> checkImplied(config, source, implied, problems));
    }
  }

  private static void checkImplied(
      Config config, SourceConfig source, SchemaConfig implied, Problems problems) {
    if (!(source instanceof SourceConfig.Tcp)) {
      problems.add(
          "schema",
          config.allSources().size() == 1
              ? "must be left out: the stream has its own, " + implied
              : "must be that of all sources, but one of them makes rows of its own, " + implied);
      return;
    }
    SchemaConfig schema = config.schema();
    if (!schema.label().field().equals(implied.label().field())) {
      problems.add(
          "schema.label.field",
          "must be "
              + implied.label().field()
              + " as feed sends it, not "
              + schema.label().field());
    }
    for (String field : schema.fields().keySet()) {
      if (implied.fields().keySet().stream().noneMatch(sent -> FeatureFit.overlap(field, sent))) {
        problems.add(
            "schema.fields." + field,
            "must be one of what feed sends: " + String.join(", ", implied.fields().keySet()));
      }
    }
  }
}
