/**
 * What a timeline needs done besides being read and written: flushes of its journal into layers, merges of layers, collection of what no
 * retained point sees.
 *
 * <p>What must stay true: no answer at a retained point changes; every step is durable before what it replaces goes, so that a crash leaves
 * what is collected as a stray, not what is missed.
 */
@NullMarked
package dev.coppice.storage.upkeep;

import org.jspecify.annotations.NullMarked;
