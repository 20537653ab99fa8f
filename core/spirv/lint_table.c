/* core/spirv/lint_table.c - what a portable kernel may use, and by which rule the rest is refused. */
#include "core/spirv/lint.h"

#include <spirv/unified1/GLSL.std.450.h>
#include <spirv/unified1/spirv.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

#define NOT_LISTED "it is not on the list of what a portable kernel may use"
const struct hlx_lint_rule_text hlx_lint_rules[HLX_LINT_RULES] = {
	[HLX_LINT_UNKNOWN] = { "unknown", NOT_LISTED },
	[HLX_LINT_CONTRACTION] = { "contraction", "it lacks NoContraction, so a driver may fuse it: hlx-spirv decorates kernels" },
	[HLX_LINT_FMA] = { "fma", "some drivers round once, others twice: write a * b + c" },
	[HLX_LINT_DIVISION] = { "division", "not every driver rounds it correctly: hlx_div() does" },
	[HLX_LINT_SQRT] = { "sqrt", "not every driver rounds it correctly: hlx_sqrt() does" },
	[HLX_LINT_RSQRT] = { "inversesqrt", "every driver has its own bits: hlx_rsqrt() has one result" },
	[HLX_LINT_DOT] = { "dot", "drivers add in orders of their own: write the products and the sums" },
	[HLX_LINT_MATRIX] = { "matrix", "drivers add in orders of their own: write the products and the sums" },
	[HLX_LINT_MOD] = { "mod", "it is made of a division: use integers, or floor() and hlx_div()" },
	[HLX_LINT_MIX] = { "mix", "drivers evaluate it in several ways: write it out" },
	[HLX_LINT_LENGTH] = { "length", "it is made of a sum in no fixed order and a root" },
	[HLX_LINT_PACK] = { "pack", "it rounds to a narrower format: use integers" },
	[HLX_LINT_FUNCTION] = { "function", "every driver has its own bits: hlx.glsl has portable ones" },
	[HLX_LINT_ROUND] = { "round", "only roundEven(), floor() and trunc() are the same everywhere" },
	[HLX_LINT_MINMAX] = { "clamp", "only min() and max() are listed: write min(max(x, low), high)" },
	[HLX_LINT_UINT] = { "uint to float", "not every driver rounds it correctly: float(int(i)), with i <= 2^24" },
	[HLX_LINT_CONVERT] = { "float conversion", "it rounds to another format" },
	[HLX_LINT_WIDTH] = { "float width", "only 32-bit floats are the same everywhere" },
	[HLX_LINT_RELAXED] = { "RelaxedPrecision", "a driver may compute it in 16 bits: declare it highp" },
	[HLX_LINT_FAST] = { "fast math", "it lets a driver change the value" },
	[HLX_LINT_ATOMIC] = { "float atomic", "the order of its additions is no one's to say: use integers" },
	[HLX_LINT_GROUP] = { "float group arithmetic", "drivers add in orders of their own: shuffle and add" },
	[HLX_LINT_FOLDING] = { "float folding", "a driver folds it in an arithmetic of its own" },
	[HLX_LINT_MODE] = { "execution mode", "not every driver offers it, and the bits must not depend on it" },
	[HLX_LINT_UNORDERED] = { "unordered compare", "only ordered ones are listed: !(a == b), !(a < b)" },
	[HLX_LINT_NAN] = { "NaN test", "a driver may assume that there are none: test the bits, hlx_bits_nan()" },
	[HLX_LINT_UNDEF] = { "undefined value", "it is whatever a driver likes" },
	[HLX_LINT_DENORMAL] = { "denormal constant", "some drivers keep it, others flush it" },
	[HLX_LINT_IMAGE] = { "image", "only plain fetches from texel buffers are the same everywhere" },
	[HLX_LINT_SET] = { "instruction set", "only GLSL.std.450 is read" },
	[HLX_LINT_DECORATION] = { "decoration", NOT_LISTED },
};

#define OK(op) { SpvOp##op, HLX_LINT_FREE, "Op" #op }
#define IS(op, need) { SpvOp##op, HLX_LINT_##need, "Op" #op }
static const struct hlx_lint_op allowed[] = {
	/* about the module */
	OK(Nop), OK(SourceContinued), OK(Source), OK(SourceExtension), OK(Name), OK(MemberName), OK(String), OK(Line), OK(NoLine),
	OK(ModuleProcessed), OK(Extension), OK(MemoryModel), OK(EntryPoint), OK(Capability), IS(ExtInstImport, IMPORT),
	IS(ExecutionMode, EXECUTION), IS(ExecutionModeId, EXECUTION), OK(Decorate), OK(MemberDecorate), OK(DecorateId),
	OK(DecorateString), OK(MemberDecorateString), /* by kind: see check_decorations() */
	/* types, constants, variables */
	OK(TypeVoid), OK(TypeBool), OK(TypeInt), IS(TypeFloat, FLOAT32), OK(TypeVector), OK(TypeMatrix), IS(TypeImage, TEXEL),
	OK(TypeSampledImage), OK(TypeArray), OK(TypeRuntimeArray), OK(TypeStruct), OK(TypePointer), OK(TypeFunction),
	OK(ConstantTrue), OK(ConstantFalse), IS(Constant, CONSTANT), OK(ConstantComposite), OK(ConstantNull),
	OK(SpecConstantTrue), OK(SpecConstantFalse), IS(SpecConstant, CONSTANT), OK(SpecConstantComposite),
	IS(SpecConstantOp, SPEC_OP), OK(Variable),
	/* float arithmetic */
	IS(FAdd, ROUNDS), IS(FSub, ROUNDS), IS(FMul, ROUNDS), IS(VectorTimesScalar, ROUNDS), OK(FNegate),
	OK(FOrdEqual), OK(FOrdNotEqual), OK(FOrdLessThan), OK(FOrdGreaterThan), OK(FOrdLessThanEqual), OK(FOrdGreaterThanEqual),
	OK(ConvertFToU), OK(ConvertFToS), OK(ConvertSToF), IS(ExtInst, EXT),
	/* moves */
	OK(Load), OK(Store), OK(CopyMemory), OK(CopyObject), OK(CopyLogical), OK(AccessChain), OK(InBoundsAccessChain),
	OK(PtrAccessChain), OK(ArrayLength), IS(VectorShuffle, FOLDS), OK(VectorExtractDynamic), OK(VectorInsertDynamic),
	OK(CompositeConstruct), IS(CompositeExtract, FOLDS), IS(CompositeInsert, FOLDS), IS(Select, FOLDS), OK(Phi), OK(Bitcast),
	/* texel buffers */
	IS(ImageFetch, FETCH), OK(Image), OK(ImageQuerySize),
	/* integers and booleans */
	IS(IAdd, FOLDS), IS(ISub, FOLDS), IS(IMul, FOLDS), IS(UDiv, FOLDS), IS(SDiv, FOLDS), IS(UMod, FOLDS), IS(SRem, FOLDS),
	IS(SMod, FOLDS), IS(SNegate, FOLDS), IS(UConvert, FOLDS), IS(SConvert, FOLDS), OK(IAddCarry), OK(ISubBorrow),
	OK(UMulExtended), OK(SMulExtended), IS(ShiftRightLogical, FOLDS), IS(ShiftRightArithmetic, FOLDS),
	IS(ShiftLeftLogical, FOLDS), IS(BitwiseOr, FOLDS), IS(BitwiseXor, FOLDS), IS(BitwiseAnd, FOLDS), IS(Not, FOLDS),
	OK(BitFieldInsert), OK(BitFieldSExtract), OK(BitFieldUExtract), OK(BitReverse), OK(BitCount),
	OK(SDot), OK(UDot), OK(SUDot), OK(SDotAccSat), OK(UDotAccSat), OK(SUDotAccSat),
	IS(IEqual, FOLDS), IS(INotEqual, FOLDS), IS(UGreaterThan, FOLDS), IS(SGreaterThan, FOLDS), IS(UGreaterThanEqual, FOLDS),
	IS(SGreaterThanEqual, FOLDS), IS(ULessThan, FOLDS), IS(SLessThan, FOLDS), IS(ULessThanEqual, FOLDS),
	IS(SLessThanEqual, FOLDS), IS(LogicalEqual, FOLDS), IS(LogicalNotEqual, FOLDS), IS(LogicalOr, FOLDS),
	IS(LogicalAnd, FOLDS), IS(LogicalNot, FOLDS), OK(Any), OK(All),
	/* control */
	OK(Function), OK(FunctionParameter), OK(FunctionEnd), OK(FunctionCall), OK(LoopMerge), OK(SelectionMerge), OK(Label),
	OK(Branch), OK(BranchConditional), OK(Switch), OK(Return), OK(ReturnValue), OK(Unreachable), OK(ControlBarrier),
	OK(MemoryBarrier),
	/* between invocations */
	IS(AtomicLoad, INTEGER), IS(AtomicStore, INTEGER), IS(AtomicExchange, INTEGER), IS(AtomicCompareExchange, INTEGER),
	IS(AtomicIIncrement, INTEGER), IS(AtomicIDecrement, INTEGER), IS(AtomicIAdd, INTEGER), IS(AtomicISub, INTEGER),
	IS(AtomicSMin, INTEGER), IS(AtomicUMin, INTEGER), IS(AtomicSMax, INTEGER), IS(AtomicUMax, INTEGER),
	IS(AtomicAnd, INTEGER), IS(AtomicOr, INTEGER), IS(AtomicXor, INTEGER),
	OK(GroupNonUniformElect), OK(GroupNonUniformAll), OK(GroupNonUniformAny), OK(GroupNonUniformAllEqual),
	OK(GroupNonUniformBroadcast), OK(GroupNonUniformBroadcastFirst), OK(GroupNonUniformBallot),
	OK(GroupNonUniformInverseBallot), OK(GroupNonUniformBallotBitExtract), OK(GroupNonUniformBallotBitCount),
	OK(GroupNonUniformBallotFindLSB), OK(GroupNonUniformBallotFindMSB), OK(GroupNonUniformShuffle),
	OK(GroupNonUniformShuffleXor), OK(GroupNonUniformShuffleUp), OK(GroupNonUniformShuffleDown),
	OK(GroupNonUniformRotateKHR), OK(GroupNonUniformQuadBroadcast), OK(GroupNonUniformQuadSwap),
	OK(GroupNonUniformIAdd), OK(GroupNonUniformIMul), OK(GroupNonUniformSMin), OK(GroupNonUniformUMin),
	OK(GroupNonUniformSMax), OK(GroupNonUniformUMax), OK(GroupNonUniformBitwiseAnd), OK(GroupNonUniformBitwiseOr),
	OK(GroupNonUniformBitwiseXor), OK(GroupNonUniformLogicalAnd), OK(GroupNonUniformLogicalOr),
	OK(GroupNonUniformLogicalXor),
};

const struct hlx_lint_op *hlx_lint_allowed(uint32_t op)
{
	for (size_t i = 0; i < COUNT(allowed); i++)
		if (allowed[i].op == op)
			return &allowed[i];
	return NULL;
}

/* Numbers where the headers of Debian 12 have no name yet. */
#define NO(op, rule) { SpvOp##op, HLX_LINT_##rule, "Op" #op }
static const struct hlx_lint_refused refused[] = {
	NO(FDiv, DIVISION), NO(FRem, MOD), NO(FMod, MOD), NO(Dot, DOT),
	NO(MatrixTimesScalar, MATRIX), NO(VectorTimesMatrix, MATRIX), NO(MatrixTimesVector, MATRIX),
	NO(MatrixTimesMatrix, MATRIX), NO(OuterProduct, MATRIX), NO(Transpose, MATRIX),
	NO(TypeCooperativeMatrixNV, MATRIX), NO(CooperativeMatrixMulAddNV, MATRIX),
	{ 4456, HLX_LINT_MATRIX, "OpTypeCooperativeMatrixKHR" }, { 4459, HLX_LINT_MATRIX, "OpCooperativeMatrixMulAddKHR" },
	NO(ConvertUToF, UINT), NO(FConvert, CONVERT), NO(QuantizeToF16, CONVERT),
	NO(GroupFAdd, GROUP), NO(GroupFMin, GROUP), NO(GroupFMax, GROUP), NO(GroupNonUniformFAdd, GROUP),
	NO(GroupNonUniformFMul, GROUP), NO(GroupNonUniformFMin, GROUP), NO(GroupNonUniformFMax, GROUP),
	NO(AtomicFAddEXT, ATOMIC), NO(AtomicFMinEXT, ATOMIC), NO(AtomicFMaxEXT, ATOMIC),
	NO(FUnordEqual, UNORDERED), NO(FUnordNotEqual, UNORDERED), NO(FUnordLessThan, UNORDERED),
	NO(FUnordGreaterThan, UNORDERED), NO(FUnordLessThanEqual, UNORDERED), NO(FUnordGreaterThanEqual, UNORDERED),
	NO(IsNan, NAN), NO(IsInf, NAN), NO(IsFinite, NAN), NO(IsNormal, NAN), NO(Ordered, NAN), NO(Unordered, NAN),
	NO(LessOrGreater, NAN), NO(SignBitSet, NAN), NO(Undef, UNDEF),
	NO(ImageSampleImplicitLod, IMAGE), NO(ImageSampleExplicitLod, IMAGE), NO(ImageGather, IMAGE), NO(ImageRead, IMAGE),
	NO(ImageWrite, IMAGE), NO(SampledImage, IMAGE), NO(TypeSampler, IMAGE), NO(ImageTexelPointer, IMAGE),
	NO(DPdx, FUNCTION), NO(DPdy, FUNCTION), NO(Fwidth, FUNCTION), { 0, HLX_LINT_UNKNOWN, NULL },
};

const struct hlx_lint_refused *hlx_lint_refused(uint32_t op)
{
	for (size_t i = 0; i + 1 < COUNT(refused); i++)
		if (refused[i].op == op)
			return &refused[i];
	return NULL;
}

#define FUN(name, rule) [GLSLstd450##name] = { GLSLstd450##name, rule, #name }
static const struct hlx_lint_refused functions[] = {
	/* Of min and max with a NaN, or with zeros of both signs, either operand may come back. */
	FUN(FAbs, HLX_LINT_RULES), FUN(SAbs, HLX_LINT_RULES), FUN(SSign, HLX_LINT_RULES), FUN(RoundEven, HLX_LINT_RULES),
	FUN(Floor, HLX_LINT_RULES), FUN(Trunc, HLX_LINT_RULES), FUN(FMin, HLX_LINT_RULES), FUN(UMin, HLX_LINT_RULES),
	FUN(SMin, HLX_LINT_RULES), FUN(FMax, HLX_LINT_RULES), FUN(UMax, HLX_LINT_RULES), FUN(SMax, HLX_LINT_RULES),
	FUN(UClamp, HLX_LINT_RULES), FUN(SClamp, HLX_LINT_RULES), FUN(FindILsb, HLX_LINT_RULES),
	FUN(FindSMsb, HLX_LINT_RULES), FUN(FindUMsb, HLX_LINT_RULES),
	FUN(Fma, HLX_LINT_FMA), FUN(Sqrt, HLX_LINT_SQRT), FUN(InverseSqrt, HLX_LINT_RSQRT), FUN(Modf, HLX_LINT_MOD),
	FUN(ModfStruct, HLX_LINT_MOD), FUN(Fract, HLX_LINT_MOD), FUN(FMix, HLX_LINT_MIX), FUN(IMix, HLX_LINT_MIX),
	FUN(SmoothStep, HLX_LINT_MIX), FUN(Length, HLX_LINT_LENGTH), FUN(Distance, HLX_LINT_LENGTH),
	FUN(Normalize, HLX_LINT_LENGTH), FUN(Cross, HLX_LINT_DOT), FUN(FaceForward, HLX_LINT_DOT),
	FUN(Reflect, HLX_LINT_DOT), FUN(Refract, HLX_LINT_DOT), FUN(Determinant, HLX_LINT_MATRIX),
	FUN(MatrixInverse, HLX_LINT_MATRIX), FUN(PackSnorm4x8, HLX_LINT_PACK), FUN(PackUnorm4x8, HLX_LINT_PACK),
	FUN(PackSnorm2x16, HLX_LINT_PACK), FUN(PackUnorm2x16, HLX_LINT_PACK), FUN(PackHalf2x16, HLX_LINT_PACK),
	FUN(PackDouble2x32, HLX_LINT_PACK), FUN(UnpackSnorm2x16, HLX_LINT_PACK), FUN(UnpackUnorm2x16, HLX_LINT_PACK),
	FUN(UnpackHalf2x16, HLX_LINT_PACK), FUN(UnpackSnorm4x8, HLX_LINT_PACK), FUN(UnpackUnorm4x8, HLX_LINT_PACK),
	FUN(UnpackDouble2x32, HLX_LINT_PACK), FUN(Round, HLX_LINT_ROUND), FUN(Ceil, HLX_LINT_ROUND),
	FUN(FClamp, HLX_LINT_MINMAX), FUN(NMin, HLX_LINT_MINMAX), FUN(NMax, HLX_LINT_MINMAX), FUN(NClamp, HLX_LINT_MINMAX),
	FUN(FSign, HLX_LINT_FUNCTION), FUN(Step, HLX_LINT_FUNCTION), FUN(Radians, HLX_LINT_FUNCTION),
	FUN(Degrees, HLX_LINT_FUNCTION), FUN(Sin, HLX_LINT_FUNCTION), FUN(Cos, HLX_LINT_FUNCTION),
	FUN(Tan, HLX_LINT_FUNCTION), FUN(Asin, HLX_LINT_FUNCTION), FUN(Acos, HLX_LINT_FUNCTION),
	FUN(Atan, HLX_LINT_FUNCTION), FUN(Sinh, HLX_LINT_FUNCTION), FUN(Cosh, HLX_LINT_FUNCTION),
	FUN(Tanh, HLX_LINT_FUNCTION), FUN(Asinh, HLX_LINT_FUNCTION), FUN(Acosh, HLX_LINT_FUNCTION),
	FUN(Atanh, HLX_LINT_FUNCTION), FUN(Atan2, HLX_LINT_FUNCTION), FUN(Pow, HLX_LINT_FUNCTION),
	FUN(Exp, HLX_LINT_FUNCTION), FUN(Log, HLX_LINT_FUNCTION), FUN(Exp2, HLX_LINT_FUNCTION),
	FUN(Log2, HLX_LINT_FUNCTION), FUN(Frexp, HLX_LINT_FUNCTION), FUN(FrexpStruct, HLX_LINT_FUNCTION),
	FUN(Ldexp, HLX_LINT_FUNCTION),
};

const struct hlx_lint_refused *hlx_lint_function(uint32_t number)
{
	return number < COUNT(functions) && functions[number].name ? &functions[number] : NULL;
}

bool hlx_lint_decoration(uint32_t kind)
{
	static const uint16_t good[] = {
		SpvDecorationSpecId, SpvDecorationBlock, SpvDecorationBufferBlock, SpvDecorationRowMajor, SpvDecorationColMajor,
		SpvDecorationArrayStride, SpvDecorationMatrixStride, SpvDecorationBuiltIn, SpvDecorationRestrict,
		SpvDecorationAliased, SpvDecorationVolatile, SpvDecorationCoherent, SpvDecorationNonWritable,
		SpvDecorationNonReadable, SpvDecorationUniform, SpvDecorationUniformId, SpvDecorationBinding,
		SpvDecorationDescriptorSet, SpvDecorationOffset, SpvDecorationNoContraction, SpvDecorationAlignment,
		SpvDecorationNoSignedWrap, SpvDecorationNoUnsignedWrap, SpvDecorationNonUniform,
		SpvDecorationRestrictPointer, SpvDecorationAliasedPointer, SpvDecorationUserSemantic, SpvDecorationUserTypeGOOGLE,
	};

	for (size_t i = 0; i < COUNT(good); i++)
		if (good[i] == kind)
			return true;
	return false;
}

/*
 * RoundingModeRTE and SignedZeroInfNanPreserve say what the contract assumes anyway.  Refused are RoundingModeRTZ, and
 * both DenormPreserve and DenormFlushToZero: a kernel that keeps the contract meets no denormal, so one that asks for
 * either expects some, and on the many drivers that offer neither it would have other bits.
 */
bool hlx_lint_mode(uint32_t mode)
{
	static const uint16_t good[] = {
		SpvExecutionModeLocalSize, SpvExecutionModeLocalSizeId, SpvExecutionModeRoundingModeRTE,
		SpvExecutionModeSignedZeroInfNanPreserve, SpvExecutionModeSubgroupUniformControlFlowKHR,
		6023 /* MaximallyReconvergesKHR */,
	};

	for (size_t i = 0; i < COUNT(good); i++)
		if (good[i] == mode)
			return true;
	return false;
}
