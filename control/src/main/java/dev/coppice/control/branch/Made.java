package dev.coppice.control.branch;

import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.role.BranchContents;
import java.util.List;
import java.util.Optional;

/** A branch that was just made. */
public record Made(Branch branch, Optional<Endpoint> endpoint, List<Operation> operations, BranchContents contents) {}
