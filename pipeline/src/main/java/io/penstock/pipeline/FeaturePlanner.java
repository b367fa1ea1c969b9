package io.penstock.pipeline;

import io.penstock.config.FeatureConfig;
import io.penstock.config.FeatureConfig.TimePart;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Rules;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Works out, step by step, which columns there are and what each of them passes; names what does not fit. */
final class FeaturePlanner {
  private static final int NO_HISTORY = 0; // as bits: the number 0, a missing category

  private final BlockSchema schema;
  private final List<Draft> drafts = new ArrayList<>();
  private final Set<String> names = new HashSet<>();
  private boolean readsTime;

  /** Stages that must run one after the other; no two lists have a column in common. */
  private final List<List<Stage>> shares = new ArrayList<>();

  FeaturePlanner(BlockSchema schema, List<FeatureConfig> features) {
    this.schema = schema;
    for (Column column : schema.columns()) {
      add(column, newShare());
    }
    for (FeatureConfig feature : features) {
      switch (feature) {
        case FeatureConfig.Lag lag -> add(lag);
        case FeatureConfig.Cyclical cyclical when !cyclical.parts().isEmpty() -> addParts(cyclical);
        default -> add(feature);
      }
    }
    drafts.forEach(Draft::check);
  }

  /** The data's columns, and those that steps have added. */
  BlockSchema schema() {
    List<Column> derived =
        drafts.stream().skip(schema.columns().size()).map(draft -> draft.column).toList();
    return new BlockSchema(
        schema.columns(), schema.label(), schema.weightField(), schema.timeField(), derived);
  }

  boolean readsTime() {
    return readsTime;
  }

  List<List<Stage>> shares() {
    return shares.stream().map(List::copyOf).toList();
  }

  /** How each column becomes features. */
  List<Encoding> encodings() {
    return drafts.stream().map(Draft::encoding).toList();
  }

  private List<Stage> newShare() {
    List<Stage> share = new ArrayList<>();
    shares.add(share);
    return share;
  }

  private Draft add(Column column, List<Stage> share) {
    if (!names.add(column.name())) {
      throw new IllegalArgumentException(
          "features: there is a column '%s' already; a step must not make another of that name"
              .formatted(column.name()));
    }
    Draft draft = new Draft(drafts.size(), column, share);
    drafts.add(draft);
    return draft;
  }

  private void add(FeatureConfig feature) {
    for (Draft draft : drafts) {
      if (draft.selectedBy(feature.fields())) {
        draft.requireFit(feature);
        draft.add(null, operator(feature, draft.nullable));
        draft.nullable &= !feature.fillsIn();
      }
    }
  }

  private void add(FeatureConfig.Lag lag) {
    for (int i = 0; i < schema.columns().size(); i++) {
      Draft source = drafts.get(i);
      if (source.selectedBy(lag.fields())) {
        source.requireFit(lag);
        lag.by().forEach(by -> addLag(source, by));
      }
    }
    if (lag.fields().contains(schema.label().field())) {
      lag.by().forEach(this::addLabelLag);
    }
  }

  /** In the share of its source: it copies what the steps so far have made of that, before later ones go on with it. */
  private void addLag(Draft source, int by) {
    Column of = source.column;
    Draft lag =
        add(
            new Column(
                FeatureConfig.Lag.name(of.name(), by),
                of.kind(),
                source.nullable,
                lagged(of.rules(), by)),
            source.share);
    int bytes = of.kind().bytes();
    int from = source.index;
    Fill copy =
        (block, offset) ->
            Values.copyColumn(block, block.layout().columnOffset(from), offset, bytes);
    lag.add(copy, new Lag(by, of.kind(), NO_HISTORY));
  }

  /** A vector's elements, some rows earlier, are those of a vector, too. */
  private static Rules lagged(Rules rules, int by) {
    return rules.vector().isEmpty()
        ? Rules.NONE
        : Rules.ofElement(FeatureConfig.Lag.name(rules.vector(), by));
  }

  private void addLabelLag(int by) {
    int classes = schema.label().classes();
    String name = FeatureConfig.Lag.name(schema.label().field(), by);
    Kind kind = classes == 2 ? Kind.FLAG : Kind.NUMBER;
    Draft lag = add(new Column(name, kind, false), newShare());
    Fill copy =
        (block, offset) ->
            Values.copyColumn(block, block.layout().labelOffset(), offset, Float.BYTES);
    if (classes > 2) {
      // Class c lies between the bounds c and c + 1; no class is a missing number.
      lag.add(copy, new Lag(by, kind, Float.floatToRawIntBits(Float.NaN)));
      lag.add(null, new Bucketize(IntStream.range(1, classes).mapToObj(Double::valueOf).toList()));
    } else {
      lag.add(copy, new Lag(by, kind, NO_HISTORY));
    }
  }

  private void addParts(FeatureConfig.Cyclical cyclical) {
    if (!schema.timed()) {
      throw new IllegalArgumentException(
          "features: cyclical has parts of the row's time, but there is none; name its field as schema.eventTime");
    }
    readsTime = true;
    ZoneClock clock = new ZoneClock(ZoneId.of(cyclical.zone()));
    for (TimePart part : cyclical.parts()) {
      Draft draft = add(new Column(part.toString(), Kind.NUMBER, false), newShare());
      Fill fill =
          (block, offset) -> {
            long times = block.layout().timeOffset();
            for (int row = 0; row < block.rows(); row++) {
              long nanos = Values.getLong(block.memory(), times, row);
              Values.setFloat(block.memory(), offset, row, clock.part(part, nanos));
            }
          };
      draft.add(fill, new Cyclical(part.period()));
    }
  }

  private static ColumnOperator operator(FeatureConfig feature, boolean nullable) {
    return switch (feature) {
      case FeatureConfig.Standardize s -> new Standardize(s.updateEvery(), nullable);
      case FeatureConfig.Clip c -> new Clip(c.min(), c.max());
      case FeatureConfig.Impute i -> new Impute(i.with(), i.value(), i.updateEvery());
      case FeatureConfig.OneHot o -> new OneHot(o.values(), o.capacity(), o.updateEvery());
      case FeatureConfig.Hash h -> new Hash(h.buckets(), h.signed());
      case FeatureConfig.Dictionary d ->
          new Dictionary(d.capacity(), d.minCount(), d.updateEvery());
      case FeatureConfig.MinMax m -> new MinMax(m.updateEvery());
      case FeatureConfig.Log1p _ -> new Log1p();
      case FeatureConfig.Bucketize b -> new Bucketize(b.bounds());
      case FeatureConfig.Cyclical c -> new Cyclical(Objects.requireNonNull(c.period()));
      case FeatureConfig.Lag _ ->
          throw new IllegalStateException("lag adds columns, and changes none");
    };
  }

  /** Writes the values of all rows of a block into a derived column, at byte {@code offset}. */
  interface Fill {
    void fill(Block block, long offset);
  }

  /**
   * One operator on one column.
   *
   * @param number of the operator among those of its column
   * @param fill where the column's values come from before that; null: they are there
   */
  record Stage(int column, int number, @Nullable Fill fill, ColumnOperator operator) {}

  /** A column as the steps so far have left it. */
  private static final class Draft {
    private final int index;
    private final Column column;
    private final List<Stage> share;
    private int operators;
    private boolean nullable;
    private @Nullable Encoding encoding;

    Draft(int index, Column column, List<Stage> share) {
      this.index = index;
      this.column = column;
      this.share = share;
      nullable = column.nullable();
    }

    void add(@Nullable Fill fill, ColumnOperator operator) {
      share.add(new Stage(index, operators++, fill, operator));
      encoding = operator.encoding();
    }

    /** What is made features of already is of no type any more: only its name may mean it, wrongly. */
    boolean selectedBy(List<String> fields) {
      return encoding == null
          ? FieldSelector.selects(fields, column)
          : FieldSelector.names(fields, column);
    }

    void requireFit(FeatureConfig feature) {
      boolean category = column.kind() == Kind.CATEGORY;
      boolean fits =
          switch (feature.takes()) {
            case NUMBERS -> !category;
            case CATEGORIES -> category;
            case ANY -> true;
          };
      if (!fits || encoding != null) {
        throw new IllegalArgumentException(
            "features: %s cannot be applied to '%s', %s"
                .formatted(
                    feature.name(),
                    column.name(),
                    encoding == null
                        ? "a " + column.kind().name().toLowerCase(Locale.ROOT)
                        : "which an earlier step has made features of; put it before that step"));
      }
    }

    void check() {
      if (column.kind() == Kind.CATEGORY && encoding == null) {
        throw new IllegalArgumentException(
            "features: category '%s' is not turned into features; add oneHot: { fields: %s } (or hash, or dictionary)"
                .formatted(column.name(), column.name()));
      }
      if (nullable && encoding == null) {
        throw new IllegalArgumentException(
            "features: '%s' may be missing but no impute fills it in".formatted(column.name()));
      }
    }

    Encoding encoding() {
      return encoding == null ? new Encoding.AsIs() : encoding;
    }
  }
}
