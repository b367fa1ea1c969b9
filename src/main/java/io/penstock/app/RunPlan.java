package io.penstock.app;

import io.penstock.config.Config;
import io.penstock.ingest.codec.SchemaResolver;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.FeaturePlan;
import io.penstock.pipeline.SlotLayout;
import io.penstock.trainer.DelayedEvaluation;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.Program;
import java.util.List;

/** What follows from the configuration and the names of the columns; holds no memory but the operators' state. */
record RunPlan(
    List<String> columns,
    BlockSchema schema,
    FeaturePlan features,
    SlotLayout layout,
    ModelSpec model,
    Program program) {

  /** The same for a run that is to evaluate and to learn nothing. */
  RunPlan evaluating() {
    features.freeze();
    return new RunPlan(columns, schema, features, layout, model, program.evaluationOnly());
  }

  /**
   * Plans a run.
   *
   * @param columnNames of the data; empty where they are not known
   * @throws SourceException where the schema does not fit these names, the features and the model do not fit the schema, or labels
   *     come too late
   */
  static RunPlan of(Config config, List<String> columnNames) {
    try {
      BlockSchema schema =
          SchemaResolver.resolve(
              config.schema(),
              columnNames,
              column -> FeaturePlan.nullable(config.features(), column));
      FeaturePlan features = new FeaturePlan(schema, config.features());
      SlotLayout layout = SlotLayout.of(config.batch().size(), features.features());
      ModelSpec model =
          ModelSpec.of(
              config.model(),
              config.loss(),
              config.optimizer(),
              config.schema().label(),
              features.features());
      Program program =
          Lowering.lower(model, layout, config.evaluation().window(), config.errors().lossSpike());
      DelayedEvaluation.requireMemory(program, config.evaluation().labelDelay());
      return new RunPlan(
          List.copyOf(columnNames), features.schema(), features, layout, model, program);
    } catch (IllegalArgumentException e) {
      throw new SourceException(String.valueOf(e.getMessage()), e);
    }
  }
}
