// Stands in for a module that production never loads.
export default {};
