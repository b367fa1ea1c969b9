package io.penstock.ingest.generator;

/**
 * The ten classification functions of Agrawal, Imielinski and Swami: "Database mining: a performance perspective", IEEE
 * Transactions on Knowledge and Data Engineering 5(6), 1993, page 924; group A is class 0, group B class 1. Functions 7 to 10
 * take 2/3 of the income, as the authors' program and MOA's {@code AgrawalGenerator} do.
 */
final class AgrawalFunctions {
  private static final double THOUSAND = 1e3;

  private AgrawalFunctions() {}

  /** Class of one applicant by function {@code index} + 1 of the paper. */
  static int label(
      int index,
      double salary,
      double commission,
      int age,
      int elevel,
      double hvalue,
      int hyears,
      double loan) {
    double income = salary + commission;
    boolean groupA =
        switch (index) {
          case 0 -> age < 40 || age >= 60;
          case 1 -> inBand(salary, age, 50, 75, 25);
          case 2 -> schooled(age, elevel);
          case 3 -> salaryBySchooling(salary, age, elevel);
          case 4 -> loanBySalary(salary, age, loan);
          case 5 -> inBand(income, age, 50, 75, 25);
          case 6 -> 2 * income / 3 - loan / 5 - 20 * THOUSAND > 0;
          case 7 -> 2 * income / 3 - 5 * THOUSAND * elevel - 20 * THOUSAND > 0;
          case 8 -> 2 * income / 3 - 5 * THOUSAND * elevel - loan / 5 - 10 * THOUSAND > 0;
          case 9 ->
              2 * income / 3 - 5 * THOUSAND * elevel + equity(hvalue, hyears) / 5 - 10 * THOUSAND
                  > 0;
          default -> throw new IllegalArgumentException("agrawal: no function " + index);
        };
    return groupA ? 0 : 1;
  }

  /** Whether {@code amount} lies in the band, 50 thousand wide, that starts by age: below 40, below 60, from 60. */
  private static boolean inBand(
      double amount, int age, int youngThousands, int middleThousands, int oldThousands) {
    return within(amount, byAge(age, youngThousands, middleThousands, oldThousands), 50);
  }

  private static boolean schooled(int age, int elevel) {
    int lowest = byAge(age, 0, 1, 2);
    int highest = byAge(age, 1, 3, 4);
    return elevel >= lowest && elevel <= highest;
  }

  private static boolean salaryBySchooling(double salary, int age, int elevel) {
    return schooled(age, elevel)
        ? inBand(salary, age, 25, 50, 50)
        : inBand(salary, age, 50, 75, 25);
  }

  private static boolean loanBySalary(double salary, int age, double loan) {
    int fromThousands =
        inBand(salary, age, 50, 75, 25) ? byAge(age, 100, 200, 300) : byAge(age, 200, 300, 100);
    return within(loan, fromThousands, 200);
  }

  /** What the house has gained: a tenth of its value for each year beyond twenty. */
  private static double equity(double hvalue, int hyears) {
    return hyears < 20 ? 0 : hvalue * (hyears - 20) / 10;
  }

  private static boolean within(double amount, int fromThousands, int widthThousands) {
    return amount >= fromThousands * THOUSAND
        && amount <= (fromThousands + widthThousands) * THOUSAND;
  }

  private static int byAge(int age, int young, int middle, int old) {
    return age < 40 ? young : age < 60 ? middle : old;
  }
}
