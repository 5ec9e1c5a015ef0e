export async function f(): Promise<number> { return 1; }
f();
console.log("hi");
