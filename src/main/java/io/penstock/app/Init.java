package io.penstock.app;

import io.penstock.app.sample.ConfigDraft;
import io.penstock.app.sample.InferredLabel;
import io.penstock.app.sample.InferredSchema;
import io.penstock.app.sample.LabelInference;
import io.penstock.app.sample.Sample;
import io.penstock.app.sample.SampleException;
import io.penstock.app.sample.SchemaInference;
import io.penstock.config.SchemaConfig.LabelType;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code penstock init}: from a sample to a configuration. */
final class Init {
  private static final String STANDARD_OUTPUT = "-";

  private final Terminal terminal;

  Init(Terminal terminal) {
    this.terminal = terminal;
  }

  /**
   * What is wanted.
   *
   * @param labelType null: as its values look
   * @param name of the run
   * @param rows of the sample to look at, at most
   */
  record Request(
      Path sample,
      String label,
      @Nullable LabelType labelType,
      String name,
      ConfigDraft.Source source,
      long rows) {}

  /** The name of a run: as given, or that of the sample without its endings. */
  static String name(@Nullable String given, Path sample) {
    if (given != null) {
      if (!given.matches("[A-Za-z0-9._-]+")) {
        throw new StartException(
            "--name: must be letters, digits, '.', '_' and '-', not '%s'".formatted(given));
      }
      return given;
    }
    String file = String.valueOf(sample.getFileName());
    String name =
        file.replaceAll("(?i)(?<=.)(\\.(csv|tsv|txt|json|jsonl|ndjson|data|gz|zst))+$", "");
    String legal = name.replaceAll("[^A-Za-z0-9._-]+", "-").replaceAll("^[.-]+|[.-]+$", "");
    return legal.isEmpty() ? "penstock" : legal;
  }

  /**
   * Writes the configuration; returns the exit code.
   *
   * @param out file, {@code -} for standard output, or null for one of the run's name
   */
  int write(Request request, @Nullable String out, boolean force) {
    Sample sample;
    InferredLabel label;
    InferredSchema schema;
    try {
      sample = Sample.sniff(request.sample, request.label, request.rows);
      label = LabelInference.of(sample, request.label, request.labelType);
      schema = SchemaInference.fields(sample, List.of(request.label));
      schema.requireFields();
    } catch (SampleException e) {
      throw new StartException("init: " + e.getMessage(), e);
    }
    String yaml = ConfigDraft.of(sample, label, schema, request.name, request.source);
    if (STANDARD_OUTPUT.equals(out)) {
      terminal.out().print(yaml);
      return ExitCode.OK;
    }
    Path file = Path.of(out == null ? request.name + ".yaml" : out);
    write(file, yaml, force);
    terminal
        .err()
        .println(
            "wrote %s: %s to learn from, %d left out, %s. Look at it, then:%n  penstock check %1$s%n  penstock train %1$s"
                .formatted(
                    file,
                    Texts.count(schema.fields().size(), "field"),
                    schema.leftOut().size(),
                    label.isClass() ? label.config().count() + " classes" : "a number to predict"));
    return ExitCode.OK;
  }

  private static void write(Path file, String yaml, boolean force) {
    OpenOption[] options =
        force
            ? new OpenOption[] {
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE
            }
            : new OpenOption[] {StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE};
    try {
      Files.writeString(file, yaml, options);
    } catch (FileAlreadyExistsException e) {
      throw new StartException(
          "--out: %s is there already; name another file, or add --force to overwrite it"
              .formatted(file),
          e);
    } catch (IOException e) {
      throw new StartException("--out: cannot write %s (%s)".formatted(file, Causes.of(e)), e);
    }
  }
}
