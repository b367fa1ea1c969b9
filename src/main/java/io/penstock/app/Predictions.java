package io.penstock.app;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.config.FormatConfig;
import io.penstock.ingest.codec.SourceException;
import io.penstock.ingest.file.FileSource;
import io.penstock.trainer.Predictor;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.util.MinimalPrettyPrinter;
import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.json.JsonMapper;

/** {@code penstock predict}: the rows of a file, answered by a saved model, a line each. */
final class Predictions {
  private static final ObjectWriter LINES =
      JsonMapper.shared()
          .writer()
          .with(new MinimalPrettyPrinter("\n"))
          .without(StreamWriteFeature.AUTO_CLOSE_TARGET);

  private final Inspection saved;
  private final Path file;

  Predictions(Inspection saved, Path file) {
    this.saved = saved;
    this.file = file;
    if (!Files.isRegularFile(file)) {
      throw new StartException("predict: %s: there is no such file".formatted(file));
    }
  }

  /** Forms of the output. */
  enum Format {
    JSON,
    CSV
  }

  /**
   * Writes a line for each row.
   *
   * @param to a file, or null: {@code out}
   * @param err is told how many rows could not be used
   * @throws StartException where the rows cannot be read, or the file not be written
   */
  void write(Format format, @Nullable Path to, PrintStream out, PrintStream err) {
    if (to != null && isItself(to)) {
      throw new StartException("--out: %s is the file to be read; name another".formatted(to));
    }
    AnswerWriter answers;
    try (SavedModel model = SavedModel.of(saved);
        InputStream in = new BufferedInputStream(FileSource.open(file));
        OutputStream lines =
            to == null
                ? new Uncloseable(out)
                : new BufferedOutputStream(Files.newOutputStream(to))) {
      answers = write(format, model, in, lines);
    } catch (SourceException e) {
      throw new StartException("predict: %s: %s".formatted(file, e.getMessage()), e);
    } catch (IOException | UncheckedIOException e) {
      throw new StartException("predict: " + Causes.of(e), e);
    }
    if (answers.refused() > 0) {
      err.println(
          "%s of %s could not be used; their lines say why"
              .formatted(answers.refused(), Texts.count(answers.rows(), "row")));
    }
  }

  private boolean isItself(Path to) {
    try {
      return Files.exists(to) && Files.isSameFile(to, file);
    } catch (IOException e) {
      throw new StartException("--out: " + Causes.of(e), e);
    }
  }

  private AnswerWriter write(Format format, SavedModel model, InputStream in, OutputStream lines)
      throws IOException {
    FittedModel.Rows rows =
        switch (RowFormats.of(saved.config()).ofFile(file)) {
          case FormatConfig.Json _ -> FittedModel.jsonLines(in);
          case FormatConfig.Csv _ -> FittedModel.csv(in, null);
        };
    switch (format) {
      case JSON -> {
        try (JsonGenerator json = LINES.createGenerator(lines)) {
          AnswerWriter answers = new AnswerWriter.Json(json);
          var _ = model.answer(rows, answers);
          if (answers.rows() > 0) {
            json.writeRaw('\n');
          }
          return answers;
        }
      }
      case CSV -> {
        Csv answers = new Csv(lines);
        var _ = model.answer(rows, answers);
        return answers;
      }
    }
    throw new AssertionError(format);
  }

  /** Standard output stays open. */
  private static final class Uncloseable extends BufferedOutputStream {
    Uncloseable(OutputStream out) {
      super(out);
    }

    @Override
    public void close() throws IOException {
      flush();
    }
  }

  /** The class with all probabilities, or the value; last what is wrong with a row. */
  private static final class Csv extends AnswerWriter {
    private final OutputStream out;
    private final StringBuilder line = new StringBuilder();

    Csv(OutputStream out) {
      this.out = out;
    }

    @Override
    public void begin(FittedModel.Cut by) {
      super.begin(by);
      line.append(classes().isEmpty() ? "value" : "class");
      for (String name : classes()) {
        value(name);
      }
      value("error");
      end();
    }

    @Override
    public void answer(Predictor predictor, int row) {
      super.answer(predictor, row);
      if (classes().isEmpty()) {
        line.append(predictor.value(row));
      } else {
        text(classes().get(predictor.best(row)));
      }
      for (int c = 0; c < classes().size(); c++) {
        line.append(',').append(predictor.probability(row, c));
      }
      line.append(',');
      end();
    }

    @Override
    public void refuse(String reason) {
      super.refuse(reason);
      line.append(",".repeat(classes().size()));
      value(reason);
      end();
    }

    private void value(String text) {
      line.append(',');
      text(text);
    }

    private void text(String text) {
      boolean plain = text.chars().noneMatch(c -> c == ',' || c == '"' || c < ' ');
      line.append(plain ? text : '"' + text.replace("\"", "\"\"") + '"');
    }

    private void end() {
      try {
        out.write(line.append('\n').toString().getBytes(UTF_8));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      line.setLength(0);
    }
  }
}
