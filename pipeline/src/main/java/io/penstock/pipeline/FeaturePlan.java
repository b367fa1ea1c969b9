package io.penstock.pipeline;

import io.penstock.config.FeatureConfig;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiConsumer;

/**
 * From columns to features: which operators each column passes, in the order of the configuration, and which features of a
 * slot it becomes. Holds the operators' state.
 */
public final class FeaturePlan implements Stateful {
  private final BlockSchema schema;
  private final List<List<ColumnOperator>> operators = new ArrayList<>();
  private final int[] firstFeature;
  private final int[] width;
  private final List<String> names = new ArrayList<>();

  public FeaturePlan(BlockSchema schema, List<FeatureConfig> features) {
    this.schema = schema;
    int columns = schema.columns().size();
    firstFeature = new int[columns];
    width = new int[columns];
    for (int i = 0; i < columns; i++) {
      Column column = schema.columns().get(i);
      List<ColumnOperator> chain = chain(column, features);
      operators.add(chain);
      firstFeature[i] = names.size();
      if (column.kind() == Kind.CATEGORY) {
        width[i] = oneHotWidth(column, chain);
        for (int f = 0; f < width[i]; f++) {
          names.add(column.name() + "#" + f);
        }
      } else {
        width[i] = 1;
        names.add(column.name());
      }
    }
  }

  /** Whether an empty value of the column is to be kept: some operator fills it in. */
  public static boolean nullable(List<FeatureConfig> features, Column column) {
    return features.stream()
        .anyMatch(
            f ->
                (f instanceof FeatureConfig.Impute || f instanceof FeatureConfig.OneHot)
                    && FieldSelector.selects(f.fields(), column));
  }

  private static List<ColumnOperator> chain(Column column, List<FeatureConfig> features) {
    List<ColumnOperator> chain = new ArrayList<>();
    boolean nullable = column.nullable();
    boolean indexed = false;
    for (FeatureConfig feature : features) {
      if (!FieldSelector.selects(feature.fields(), column)) {
        continue;
      }
      boolean oneHot = feature instanceof FeatureConfig.OneHot;
      if (oneHot != (column.kind() == Kind.CATEGORY) || indexed) {
        throw new IllegalArgumentException(
            "features: %s cannot be applied to '%s', %s"
                .formatted(
                    feature.getClass().getSimpleName(),
                    column.name(),
                    indexed
                        ? "which is one-hot already"
                        : "a " + column.kind().name().toLowerCase(Locale.ROOT)));
      }
      indexed = oneHot;
      chain.add(operator(feature, nullable));
      nullable &= !(feature instanceof FeatureConfig.Impute);
    }
    if (nullable && column.kind() != Kind.CATEGORY) {
      throw new IllegalArgumentException(
          "features: '%s' may be missing but no impute fills it in".formatted(column.name()));
    }
    return List.copyOf(chain);
  }

  private static ColumnOperator operator(FeatureConfig feature, boolean nullable) {
    return switch (feature) {
      case FeatureConfig.Standardize s -> new Standardize(s.updateEvery(), nullable);
      case FeatureConfig.Clip c -> new Clip(c.min(), c.max());
      case FeatureConfig.Impute i -> new Impute(i.with(), i.value(), i.updateEvery());
      case FeatureConfig.OneHot o -> new OneHot(o.values(), o.capacity(), o.updateEvery());
    };
  }

  private static int oneHotWidth(Column column, List<ColumnOperator> chain) {
    return chain.stream()
        .filter(OneHot.class::isInstance)
        .mapToInt(o -> ((OneHot) o).features())
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "features: category '%s' is not turned into features; add oneHot: { fields: %s }"
                        .formatted(column.name(), column.name())));
  }

  public BlockSchema schema() {
    return schema;
  }

  /** Features of a row. */
  public int features() {
    return names.size();
  }

  /** Their names, in order; the features of a one-hot column are {@code name#index}. */
  public List<String> names() {
    return List.copyOf(names);
  }

  /** Lets columns {@code first}, {@code first + step}, … of the block pass their operators. */
  void process(Block block, int first, int step) {
    BlockLayout layout = block.layout();
    for (int i = first; i < firstFeature.length; i += step) {
      List<ColumnOperator> chain = operators.get(i);
      for (int o = 0; o < chain.size(); o++) {
        chain.get(o).process(block.memory(), layout.columnOffset(i), block.rows());
      }
    }
  }

  /** Rewrites all columns by the operators' state as it stands, which stays: for rows that are to be predicted. */
  public void apply(Block block) {
    BlockLayout layout = block.layout();
    for (int i = 0; i < firstFeature.length; i++) {
      for (ColumnOperator operator : operators.get(i)) {
        operator.apply(block.memory(), layout.columnOffset(i), block.rows());
      }
    }
  }

  /**
   * Writes rows that have passed their operators as features, feature-major.
   *
   * @param from first of {@code count} rows of the block
   * @param to the row of {@code out} that the first becomes
   */
  public void write(
      Block block, int from, int count, MemorySegment out, SlotLayout layout, int to) {
    BlockLayout source = block.layout();
    MemorySegment in = block.memory();
    for (int column = 0; column < firstFeature.length; column++) {
      long offset = source.columnOffset(column);
      int feature = firstFeature[column];
      if (schema.columns().get(column).kind() == Kind.CATEGORY) {
        for (int f = feature; f < feature + width[column]; f++) {
          Values.fillFloat(out, layout.featureOffset(f), to, to + count, 0);
        }
        for (int row = 0; row < count; row++) {
          long index = Values.getLong(in, offset, from + row);
          if (index >= 0) {
            Values.setFloat(out, layout.featureOffset(feature + (int) index), to + row, 1);
          }
        }
      } else {
        Values.copyFloats(in, offset, from, count, out, layout.featureOffset(feature), to);
      }
    }
  }

  @Override
  public void save(State state) {
    each(state, ColumnOperator::save);
  }

  @Override
  public void restore(State state) {
    each(state, ColumnOperator::restore);
  }

  private void each(State state, BiConsumer<ColumnOperator, State> action) {
    for (int i = 0; i < operators.size(); i++) {
      State column = state.scope(schema.columns().get(i).name());
      List<ColumnOperator> chain = operators.get(i);
      for (int o = 0; o < chain.size(); o++) {
        action.accept(chain.get(o), column.scope(Integer.toString(o)));
      }
    }
  }
}
