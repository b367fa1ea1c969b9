package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.app.ReferenceLearner.Rule;
import io.penstock.app.ReferenceLearner.Score;
import io.penstock.trainer.model.Metrics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Real streams over real sockets, held against an implementation that shares nothing with the product. */
class RealDataTest {
  private static final double HALF_A_POINT = 0.005;

  private static final String ELEC2 =
      """
      source: { tcp: { port: 0, endAfterConnections: 1, format: { csv: { header: true } } } }
      schema:
        label: { field: class, type: class, classes: [DOWN, UP] }
        fields: { date: number, day: number, period: number, nswprice: number, nswdemand: number,
                  vicprice: number, vicdemand: number, transfer: number }
      features: [ standardize: { fields: number } ]
      batch: { size: 16, maxDelay: none }
      model: { logistic: { initial: zero } }
      optimizer: { adam: { learningRate: 0.01 } }
      http: none
      """;

  @Test
  void shouldLearnElec2OverTcpAsTheReferenceDoes() {
    Path file = Runs.shared("elec2/electricity.csv.gz");
    List<double[]> rows = rows(file, Map.of("DOWN", 0.0, "UP", 1.0), 0);
    Rejected rejected = new Rejected();

    RunSnapshot end = Runs.trainOverTcp(file, ELEC2, rejected);

    assertThat(end.rows().trained() + rejected.count()).isEqualTo(rows.size()).isEqualTo(45_312);
    agree(end, new ReferenceLearner(8, 2, 16, 64, Rule.ADAM, 0.01).learn(rows));
    assertThat(end.cumulative().noChange().accuracy()).isCloseTo(0.8533, within(1e-4));
  }

  @Test
  void shouldLearnCovertypeOverTcpAsTheReferenceDoes() {
    Path file = Runs.shared("covertype/covertype_ramp_92962.csv.gz");
    List<double[]> rows = rows(file, Map.of(), 7);
    Rejected rejected = new Rejected();

    RunSnapshot end =
        Runs.trainOverTcp(
            file,
            """
            source: { tcp: { port: 0, endAfterConnections: 1, format: { csv: { header: true } } } }
            schema:
              label: { field: Cover_Type, type: class, classes: 7 }
              fields: { Elevation: number, Aspect: number, Slope: number, "Horizontal*": number,
                        "Vertical*": number, "Hillshade*": number, "Wilderness*": flag, "Soil*": flag }
            features: [ standardize: { fields: "*" } ]
            batch: { size: 64, maxDelay: none }
            model: { softmax: { initial: zero } }
            optimizer: { adam: { learningRate: 0.01 } }
            http: none
            """,
            rejected);

    assertThat(end.rows().trained() + rejected.count()).isEqualTo(rows.size()).isEqualTo(92_962);
    agree(end, new ReferenceLearner(54, 7, 64, 64, Rule.ADAM, 0.01).learn(rows));
  }

  @Test
  void shouldLearnGmscOverTcpAsTheReferenceDoes() {
    Path file = Runs.shared("gmsc/gmsc.csv.gz");
    List<double[]> rows = rows(file, Map.of(), 0);
    ReferenceLearner.impute(rows, 10, 64);
    Rejected rejected = new Rejected();

    RunSnapshot end =
        Runs.trainOverTcp(
            file,
            """
            source: { tcp: { port: 0, endAfterConnections: 1, format: { csv: { header: true, missing: ["?"] } } } }
            schema:
              label: { field: isFraud, type: class, classes: 2 }
              fields: { "*": number }
            features:
              - impute: { fields: number, with: mean }
              - standardize: { fields: number }
            batch: { size: 128, maxDelay: none }
            model: { logistic: { initial: zero } }
            optimizer: { sgd: { learningRate: 0.05 } }
            http: none
            """,
            rejected);

    assertThat(end.rows().trained() + rejected.count()).isEqualTo(rows.size()).isEqualTo(150_000);
    Score reference = new ReferenceLearner(10, 2, 128, 64, Rule.SGD, 0.05).learn(rows);
    agree(end, reference);
    // The reference sorts all scores, and they are doubles: what is left is the error of bins, and
    // that of floats.
    Metrics metrics = end.cumulative();
    assertThat(metrics.model().auc())
        .isCloseTo(reference.auc(), within(metrics.aucError() + 1e-3))
        .isGreaterThan(0.5 + metrics.aucError());
    assertThat(metrics.aucError()).isLessThan(0.01);
    assertThat(metrics.model().prAuc())
        .isCloseTo(reference.prAuc(), within(metrics.prAucError() + 1e-3));
    assertThat(metrics.prAucError()).isLessThan(0.02);
  }

  @ParameterizedTest
  @CsvSource({
    "phishing/phishing.csv.gz, sgd,      0.8984, 0.2626",
    "phishing/phishing.csv.gz, momentum, 0.8528, 0.5860",
    "phishing/phishing.csv.gz, adam,     0.8784, 0.3084",
    "elec2/electricity.csv.gz, rmsProp,  0.9179, 0.2611",
  })
  void shouldReproduceTheNumbersOfTheLiterature(
      String data, String optimizer, double accuracy, double logLoss) {
    Path file = Runs.shared(data);
    boolean elec2 = data.startsWith("elec2");

    RunSnapshot end =
        Runs.trainOverTcp(
            file,
            """
            source: { tcp: { port: 0, endAfterConnections: 1, format: { csv: { header: true } } } }
            schema:
              label: %s
              fields: { "*": number }
            features: [ standardize: { fields: number, updateEvery: 1 } ]
            batch: { size: 1, maxDelay: none }
            model: { logistic: { initial: zero } }
            optimizer: { %s: { learningRate: 0.1 } }
            http: none
            """
                .formatted(
                    elec2
                        ? "{ field: class, classes: [DOWN, UP] }"
                        : "{ field: is_phishing, type: class, classes: 2 }",
                    optimizer),
            new Rejected());

    assertThat(end.cumulative().accuracy()).isCloseTo(accuracy, within(0.001));
    assertThat(end.cumulative().logLoss()).isCloseTo(logLoss, within(0.001));
  }

  private static void agree(RunSnapshot end, Score reference) {
    assertThat(end.cumulative().accuracy()).isCloseTo(reference.accuracy(), within(HALF_A_POINT));
    assertThat(end.cumulative().logLoss()).isCloseTo(reference.logLoss(), within(0.01));
  }

  /** Rows of a CSV with the label last; a label above 0 that equals {@code wrap} is class 0. Missing values are NaN. */
  private static List<double[]> rows(Path file, Map<String, Double> classes, int wrap) {
    List<double[]> rows = new ArrayList<>();
    for (String line : Runs.lines(file).stream().skip(1).toList()) {
      String[] values = line.split(",", -1);
      double[] row = new double[values.length];
      for (int i = 0; i < values.length; i++) {
        boolean missing = values[i].isEmpty() || values[i].equals("?");
        row[i] = missing ? Double.NaN : classes.getOrDefault(values[i], Double.NaN);
        if (Double.isNaN(row[i]) && !missing) {
          row[i] = Double.parseDouble(values[i]);
        }
      }
      int label = row.length - 1;
      row[label] = wrap > 0 && row[label] == wrap ? 0 : row[label];
      rows.add(row);
    }
    return rows;
  }
}
