package dev.coppice.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Dependencies point down only: the table of modules in ARCHITECTURE.md. */
@AnalyzeClasses(packages = "dev.coppice", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule dependencies_point_down = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("common")
            .definedBy("dev.coppice.common..")
            .layer("storage")
            .definedBy("dev.coppice.storage..")
            .optionalLayer("masking")
            .definedBy("dev.coppice.masking..")
            .layer("compute")
            .definedBy("dev.coppice.compute..")
            .layer("control")
            .definedBy("dev.coppice.control..")
            .layer("proxy")
            .definedBy("dev.coppice.proxy..")
            .layer("cli")
            .definedBy("dev.coppice.cli..")
            .layer("server")
            .definedBy("dev.coppice.server..")
            .whereLayer("server")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("cli")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("proxy")
            .mayOnlyBeAccessedByLayers("server")
            .whereLayer("control")
            .mayOnlyBeAccessedByLayers("server")
            .whereLayer("compute")
            .mayOnlyBeAccessedByLayers("control", "server")
            .whereLayer("storage")
            .mayOnlyBeAccessedByLayers("compute", "control", "server")
            .whereLayer("masking")
            .mayOnlyBeAccessedByLayers("compute", "control", "server")
            .whereLayer("masking")
            .mayNotAccessAnyLayer();

    @ArchTest
    static final ArchRule modules_have_no_cycles =
            slices().matching("dev.coppice.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule the_proxy_moves_bytes_without_jdbc = classes()
            .that()
            .resideInAnyPackage("dev.coppice.proxy..", "dev.coppice.storage..")
            .should()
            .onlyDependOnClassesThat()
            .resideOutsideOfPackage("java.sql..");

    /** Nobody but these classes connects to a database: to computes one, which no user's settings reach; and the catalog's own. */
    @ArchTest
    static final ArchRule one_class_connects_to_computes = noClasses()
            .that()
            .resideInAPackage("dev.coppice.control..")
            .and()
            .haveNameNotMatching("dev\\.coppice\\.control\\.(sql\\.AdminConnection|catalog\\.Catalog(Server)?)(\\$.*)?")
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.sql.DriverManager")
            .orShould()
            .dependOnClassesThat()
            .resideInAnyPackage("org.postgresql..", "com.impossibl..");

    @ArchTest
    static final ArchRule the_server_speaks_no_sql = noClasses()
            .that()
            .resideInAnyPackage("dev.coppice.server..", "dev.coppice.compute..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("java.sql..");
}
