package dev.coppice.compute.sandbox;

/**
 * What one compute may take of the machine.
 *
 * @param memoryBytes of all its processes together, its part of the page cache and its shared memory included
 * @param processes at once, threads counted
 * @param units its weight when the processors are busy
 */
public record Limits(long memoryBytes, int processes, double units) {}
