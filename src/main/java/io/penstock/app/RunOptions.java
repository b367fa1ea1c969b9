package io.penstock.app;

import io.penstock.pipeline.Rejections;

/**
 * What the command line adds to a configuration.
 *
 * @param maxRecords rows to train on before the run ends; 0: no bound
 * @param fresh whether saved state is left alone
 * @param rejections where rows go that cannot be used; belongs to the caller
 */
record RunOptions(long maxRecords, boolean fresh, Rejections rejections) {}
