/**
 * What computes use: {@link dev.coppice.control.meter.ConsumptionMeter} measures and keeps it, {@link
 * dev.coppice.control.meter.Quotas} compares it with what a project may use.
 *
 * <p>What must stay true: measuring never makes anybody wait, and a catalog that is away delays figures and loses none. A
 * killed server loses what it had not written down, half a minute at most.
 */
@NullMarked
package dev.coppice.control.meter;

import org.jspecify.annotations.NullMarked;
