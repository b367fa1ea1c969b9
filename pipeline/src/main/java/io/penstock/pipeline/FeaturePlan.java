package io.penstock.pipeline;

import io.penstock.config.FeatureConfig;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.FeaturePlanner.Fill;
import io.penstock.pipeline.FeaturePlanner.Stage;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * From columns to features: which operators each column passes, in the order of the configuration, and which features of a
 * slot it becomes. Holds the operators' state.
 */
public final class FeaturePlan implements Stateful {
  private final BlockSchema schema;
  private final List<Column> columns;
  private final List<List<Stage>> shares;
  private final List<Encoding> encodings;
  private final int[] firstFeature;
  private final List<String> names = new ArrayList<>();
  private final boolean readsTime;
  private boolean frozen;

  /**
   * Plans what the columns of the data pass.
   *
   * @param schema derived columns in it are forgotten: {@link #schema} has those of {@code features}
   */
  public FeaturePlan(BlockSchema schema, List<FeatureConfig> features) {
    FeaturePlanner planner = new FeaturePlanner(schema, features);
    this.schema = planner.schema();
    columns = this.schema.allColumns();
    shares = planner.shares();
    readsTime = planner.readsTime();
    encodings = planner.encodings();
    firstFeature = new int[columns.size()];
    for (int i = 0; i < firstFeature.length; i++) {
      firstFeature[i] = names.size();
      names.addAll(encodings.get(i).names(columns.get(i).name()));
    }
  }

  /** Whether an empty value of the column is to be kept: some operator fills it in. */
  public static boolean nullable(List<FeatureConfig> features, Column column) {
    return features.stream()
        .anyMatch(f -> f.fillsIn() && FieldSelector.selects(f.fields(), column));
  }

  /** The columns of blocks, derived ones included. */
  public BlockSchema schema() {
    return schema;
  }

  /** Whether features are made of the event time. */
  public boolean readsTime() {
    return readsTime;
  }

  /** Features of a row. */
  public int features() {
    return names.size();
  }

  /** Their names, in order; a column that becomes several has {@code name#index}. */
  public List<String> names() {
    return List.copyOf(names);
  }

  /** From now on rows are rewritten by what has been learnt, and nothing is learnt from them; lags go on. Before the first row. */
  public void freeze() {
    frozen = true;
  }

  /** How many parts of the work know nothing of each other. */
  int shares() {
    return shares.size();
  }

  /** Lets the columns of shares {@code first}, {@code first + step}, … of the block pass their operators. */
  void process(Block block, int first, int step) {
    for (int i = first; i < shares.size(); i += step) {
      List<Stage> share = shares.get(i);
      for (int s = 0; s < share.size(); s++) {
        Stage stage = share.get(s);
        long offset = fill(block, stage);
        if (frozen) {
          stage.operator().follow(block.memory(), offset, block.rows());
        } else {
          stage.operator().process(block.memory(), offset, block.rows());
        }
      }
    }
  }

  /** Rewrites all columns by the operators' state as it stands, which stays: for rows that are to be predicted. */
  public void apply(Block block) {
    for (List<Stage> share : shares) {
      for (Stage stage : share) {
        long offset = fill(block, stage);
        stage.operator().apply(block.memory(), offset, block.rows());
      }
    }
  }

  /** Where the stage's column begins, which is filled if the stage is the first of a derived one. */
  private static long fill(Block block, Stage stage) {
    long offset = block.layout().columnOffset(stage.column());
    Fill fill = stage.fill();
    if (fill != null) {
      fill.fill(block, offset);
    }
    return offset;
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
    for (int i = 0; i < firstFeature.length; i++) {
      encodings
          .get(i)
          .write(in, source.columnOffset(i), from, count, out, layout, firstFeature[i], to);
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
    for (List<Stage> share : shares) {
      for (Stage stage : share) {
        State column = state.scope(columns.get(stage.column()).name());
        action.accept(stage.operator(), column.scope(Integer.toString(stage.number())));
      }
    }
  }
}
