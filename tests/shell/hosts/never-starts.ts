/** A host that gives up before it has an address. */
console.error('carryover: another process holds this workbench');
process.exitCode = 1;
