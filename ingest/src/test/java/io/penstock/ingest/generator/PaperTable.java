package io.penstock.ingest.generator;

/** The functions of Agrawal, Imielinski and Swami (1993), page 924, written out as the paper prints them: group A or not. */
final class PaperTable {
  private PaperTable() {}

  static boolean groupA(int function, int[] row) {
    double salary = row[0] / 100.0;
    double commission = row[1] / 100.0;
    int age = row[2];
    int elevel = row[3];
    double hvalue = row[6];
    int hyears = row[7];
    double loan = row[8] / 10.0;
    boolean young = age < 40;
    boolean middle = 40 <= age && age < 60;
    boolean old = age >= 60;
    double total = salary + commission;
    return switch (function) {
      case 1 -> young || old;
      case 2 ->
          (young && in(salary, 50_000, 100_000))
              || (middle && in(salary, 75_000, 125_000))
              || (old && in(salary, 25_000, 75_000));
      case 3 ->
          (young && in(elevel, 0, 1)) || (middle && in(elevel, 1, 3)) || (old && in(elevel, 2, 4));
      case 4 ->
          (young && (in(elevel, 0, 1) ? in(salary, 25_000, 75_000) : in(salary, 50_000, 100_000)))
              || (middle
                  && (in(elevel, 1, 3) ? in(salary, 50_000, 100_000) : in(salary, 75_000, 125_000)))
              || (old
                  && (in(elevel, 2, 4) ? in(salary, 50_000, 100_000) : in(salary, 25_000, 75_000)));
      case 5 ->
          (young
                  && (in(salary, 50_000, 100_000)
                      ? in(loan, 100_000, 300_000)
                      : in(loan, 200_000, 400_000)))
              || (middle
                  && (in(salary, 75_000, 125_000)
                      ? in(loan, 200_000, 400_000)
                      : in(loan, 300_000, 500_000)))
              || (old
                  && (in(salary, 25_000, 75_000)
                      ? in(loan, 300_000, 500_000)
                      : in(loan, 100_000, 300_000)));
      case 6 ->
          (young && in(total, 50_000, 100_000))
              || (middle && in(total, 75_000, 125_000))
              || (old && in(total, 25_000, 75_000));
      case 7 -> 2.0 / 3 * total - 0.2 * loan - 20_000 > 0;
      case 8 -> 2.0 / 3 * total - 5_000 * elevel - 20_000 > 0;
      case 9 -> 2.0 / 3 * total - 5_000 * elevel - 0.2 * loan - 10_000 > 0;
      case 10 -> {
        double equity = 0.1 * hvalue * Math.max(hyears - 20, 0);
        yield 2.0 / 3 * total - 5_000 * elevel + 0.2 * equity - 10_000 > 0;
      }
      default -> throw new IllegalArgumentException("no function " + function);
    };
  }

  private static boolean in(double value, double from, double to) {
    return from <= value && value <= to;
  }
}
