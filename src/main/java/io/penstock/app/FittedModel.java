package io.penstock.app;

import io.penstock.config.Config;
import io.penstock.config.FormatConfig;
import io.penstock.ingest.codec.ClassNumbering;
import io.penstock.ingest.codec.CsvRows;
import io.penstock.ingest.codec.ObjectRow;
import io.penstock.ingest.codec.UnlabelledRows;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.Merge;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.State;
import io.penstock.trainer.Predictor;
import io.penstock.trainer.Trainer;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * From rows as they come to answers, by the operators and weights of one cut. Thread-safe: a request is answered as a whole, and
 * what {@link #load} brings is there for the next.
 */
final class FittedModel implements AutoCloseable {
  private static final int MOST_ROWS_AT_ONCE = 256;

  /** Parameters by bytes of a request, whose answer is a matter of microseconds: a row takes two bytes at least. */
  private static final long SHORT = 8 << 20;

  /** And bytes that are read in microseconds, whatever the model. */
  private static final int SHORT_BYTES = 16 << 10;

  private final RowFormats formats;
  private final int sources;
  private final int maxRowBytes;
  private final RunPlan plan;
  private final BlockPool pool;
  private final Block block;
  private final Predictor predictor;
  private final CsvRows csv;
  private final ObjectRow objects;
  private final ObjectRow maps;
  private final int rowsAtOnce;
  private final List<@Nullable String> refusals = new ArrayList<>();
  private final ReentrantLock lock = new ReentrantLock();
  private @Nullable Cut cut;
  private boolean closed;

  /**
   * Which weights these are.
   *
   * @param rows trained on before them
   * @param nanos when they were the newest, nanoseconds since 1970
   * @param classes names by index; empty for a number
   */
  record Cut(long rows, long nanos, List<String> classes) {}

  /** How rows are to be read; called with the model's lock held. */
  interface Rows {
    UnlabelledRows of(FittedModel model) throws IOException;
  }

  /** Where answers go, row for row. */
  interface Answers {
    void begin(Cut by);

    /** The answer that the predictor has for row {@code row} of its last call. */
    void answer(Predictor predictor, int row);

    void refuse(String reason);
  }

  /** More rows than may be asked at once. */
  static final class TooManyRows extends RuntimeException {
    private static final long serialVersionUID = 1;

    TooManyRows(int most) {
      super("at most %d rows are answered at once".formatted(most));
    }
  }

  /**
   * A model that knows nothing before {@link #load}.
   *
   * @param columns of the data; empty where the schema itself gives them
   */
  FittedModel(Config config, List<String> columns) {
    sources = config.allSources().size();
    formats = RowFormats.of(config);
    maxRowBytes = config.predictions().maxBytes();
    plan = RunPlan.of(config, columns);
    rowsAtOnce = Math.min(MOST_ROWS_AT_ONCE, plan.layout().capacityRows());
    BlockLayout layout = new BlockLayout(plan.schema(), rowsAtOnce);
    predictor = new Predictor(plan.features(), plan.model(), plan.program());
    pool = new BlockPool(layout, 4 * layout.byteSize());
    block = Objects.requireNonNull(pool.tryAcquire(0, new PartitionCursor(0, 0, 0, 0)));
    boolean timed = plan.features().readsTime();
    csv = new CsvRows(formats.csv(), block, timed, maxRowBytes);
    maps = ObjectRow.ofNames(block, timed, formats.csv().missing());
    objects = formats.json().map(json -> ObjectRow.ofPaths(block, timed, json)).orElse(maps);
  }

  /**
   * Takes over operators and weights, by copies.
   *
   * @param nanos when they were the newest
   */
  Cut load(State state, long nanos) {
    lock.lock();
    try {
      requireOpen();
      return loadLocked(state, nanos);
    } finally {
      lock.unlock();
    }
  }

  private Cut loadLocked(State state, long nanos) {
    predictor.load(state);
    Cut next =
        new Cut(state.longs(Trainer.TRAINED)[0], nanos, classes(plan.schema().label(), state));
    cut = next;
    return next;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
  }

  /** Integers count from 0 unless the stream has shown that they count from 1: then index 0 is the last of them. */
  private List<String> classes(BlockSchema.Label label, State state) {
    boolean fromOne =
        IntStream.range(0, sources)
            .anyMatch(i -> ClassNumbering.restored(Merge.scope(state, i)).origin() == 1);
    return label.classNames().isEmpty()
        ? IntStream.range(0, label.classes())
            .mapToObj(c -> Integer.toString(fromOne && c == 0 ? label.classes() : c))
            .toList()
        : label.classNames();
  }

  /**
   * Answers rows until there are no more.
   *
   * @param most how many there may be
   * @return by which weights
   */
  Cut answer(Rows rows, int most, Answers to) throws IOException {
    lock.lock();
    try {
      return answerLocked(rows, most, to);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Answers as {@link #answer} does, where that is sure to take microseconds: for threads that must not wait.
   *
   * @param bytes of the rows
   * @return null where it is not: nothing is read then
   */
  @Nullable Cut answerAtOnce(Rows rows, int bytes, int most, Answers to) throws IOException {
    if (bytes > SHORT_BYTES
        || plan.program().parameters().size() * (long) bytes > SHORT
        || !lock.tryLock()) {
      return null;
    }
    try {
      return answerLocked(rows, most, to);
    } finally {
      lock.unlock();
    }
  }

  private Cut answerLocked(Rows rows, int most, Answers to) throws IOException {
    requireOpen();
    Cut by = Objects.requireNonNull(cut, "load comes first");
    UnlabelledRows from = rows.of(this);
    to.begin(by);
    long asked = 0;
    boolean more = true;
    while (more) {
      more = decode(from);
      asked += refusals.size();
      if (asked > most) {
        throw new TooManyRows(most);
      }
      if (block.rows() > 0) {
        predictor.predict(block);
      }
      tell(to);
    }
    return by;
  }

  /** Fills the block and notes each row's refusal, or null; false at the end of the rows. */
  private boolean decode(UnlabelledRows from) throws IOException {
    refusals.clear();
    int rows = 0;
    UnlabelledRows.Next next = UnlabelledRows.Next.ROW;
    while (next != UnlabelledRows.Next.END && refusals.size() < rowsAtOnce) {
      next = from.next(rows);
      switch (next) {
        case ROW -> {
          refusals.add(null);
          rows++;
        }
        case REFUSED -> refusals.add(from.refusal());
        case END -> {}
      }
    }
    block.seal(rows, rows, 0, 0);
    return next != UnlabelledRows.Next.END;
  }

  private void tell(Answers to) {
    int row = 0;
    for (String refusal : refusals) {
      if (refusal == null) {
        to.answer(predictor, row++);
      } else {
        to.refuse(refusal);
      }
    }
  }

  /**
   * Comma-separated values.
   *
   * @param header whether the first line has the names of the columns; null: as configured
   */
  static Rows csv(InputStream in, @Nullable Boolean header) {
    return model -> {
      FormatConfig.Csv format = model.formats.csv();
      if (header == null ? format.header() : header) {
        model.csv.beginWithHeader(in);
      } else {
        // Of several sources, each may have its own order.
        List<String> known = model.sources == 1 ? model.plan.columns() : List.of();
        model.csv.begin(in, known.isEmpty() ? format.columns() : known);
      }
      return model.csv;
    };
  }

  /** JSON: an object, an array of objects, or several of these. */
  static Rows json(InputStream in) {
    return model -> new JsonRows.Document(model.objects, in);
  }

  /** JSON, an object a line. */
  static Rows jsonLines(InputStream in) {
    return model -> new JsonRows.Lines(model.objects, in, model.maxRowBytes);
  }

  /** Values by the names of their fields, or in maps and lists by their paths. */
  static Rows maps(List<? extends Map<String, ?>> rows) {
    return model -> new MapRows(model.maps, rows);
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        predictor.close();
        block.release();
        pool.close();
      }
    } finally {
      lock.unlock();
    }
  }
}
